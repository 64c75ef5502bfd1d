"""Japanese."""

from emulators.brain.phrases.sheet import Phrases

JAPANESE = Phrases(
    demo_note=(
        "（ちなみに、私は Kinora のデモモデルです。小さな規則の集まりで、"
        "本物の言語モデルではありません。）"
    ),
    hello=(
        "こんにちは！何を描くか教えてください。例：「雪の中の赤い狐を描いて、16:9」。"
        "そのあと「青くして」"
        "「4秒の動画にして」「キャンセル」と言えます。"
        "「どのモデルがありますか」で絵描きの一覧が出ます。"
    ),
    thanks="どういたしまして！ほかに描きますか、変えますか、動かしますか？",
    yes="喜んで。何を描きましょうか？例：「夕焼けの灯台、16:9」。",
    unknown=(
        "わかりませんでした。絵を描く(「舟に乗った猫を描いて」)、絵を変える(「青くして」)、"
        "動画を作る"
        "(「4秒の海の動画」)、止める、やり直すことができます。"
    ),
    no_picture=(
        "まだ使える絵がありません。描きましょうか？例：「雪の中の赤い狐を描いて」。写真をチャットに"
        "入れることもできます。"
    ),
    no_running="いま作っているものはないので、止めるものがありません。",
    no_generation="この会話ではまだ何も作っていません。何か描きましょうか？",
    no_retry="やり直すものがまだありません。何を描きましょうか？",
    got_picture="絵をありがとうございます。変えますか(「青くして」)、動かしますか？",
    not_offered="ここにはそのための道具がありません。",
    later_animate="絵ができたら「動かして」と言ってください。",
    started_image="描いています：{what}{ref}。進み具合はカードで見られます。",
    started_images="{n} 枚描いています：{what}{ref}。進み具合はカードで見られます。",
    started_video="動画を作っています：{what}{ref}。進み具合はカードで見られます。",
    started_edit="絵を変えています：{what}{ref}。進み具合はカードで見られます。",
    retried="もう一度やっています：{what}{ref}。進み具合はカードで見られます。",
    cancel_asked="止めるように頼みました{ref}。止まるとカードに出ます。",
    cancelled="止めました{ref}。",
    already_finished="もう終わっていました{ref}。止めるものはありません。",
    refused="それはできません：{message}",
    queued="順番を待っています{ref}。",
    queued_at="順番を待っています{ref}。{place} 番目です。",
    running="作っています{ref}。",
    running_at="作っています{ref}：{percent} % できました。",
    completed="はい、できました{ref}。カードにあります。",
    failed="失敗しました{ref}：{message} 「もう一度」と言えばやり直します。",
    was_cancelled="取り消されました{ref}。「もう一度」と言えばやり直します。",
    is_unknown=(
        "どうなったかわかりません{ref}。注文の返事が失われ、料金がかかったかもしれません。"
        "「もう一度」か"
        "「キャンセル」と言ってください。"
    ),
    list_head="これまでに作ったもの：",
    list_empty="まだ何も作っていません。何か描きましょうか？",
    models_head="絵を描き、変え、動画にできます。使えるモデル：",
    done="できました。",
    it="それ",
    default_subject="静かな風景",
    default_motion="穏やかで自然な動き",
    kinds={"image": "絵", "video": "動画", "audio": "音"},
    statuses={
        "queued": "待機中",
        "submitting": "開始中",
        "in_progress": "作成中",
        "storing": "もうすぐ",
        "completed": "完成",
        "failed": "失敗",
        "cancelled": "取り消し",
        "unknown": "不明",
    },
    units={"image": "1 枚", "second": "1 秒", "megapixel": "1 メガピクセル"},
)
