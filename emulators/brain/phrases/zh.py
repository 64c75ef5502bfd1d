"""Chinese."""

from emulators.brain.phrases.sheet import Phrases

CHINESE = Phrases(
    demo_note="（顺便说一句：我是 Kinora 的演示模型，只是一小套规则，不是真正的语言模型。）",
    hello=(
        "你好！告诉我画什么，例如“画一只雪地里的红狐狸，16:9”。然后可以说“把它变成蓝色”、"
        "“让它动起来，4秒”"
        "或“取消”。问“有什么模型”可以看到所有画师。"
    ),
    thanks="不客气！要再画点什么、修改它，还是让它动起来？",
    yes="好的。画什么呢？例如：“日落时的灯塔，16:9”。",
    unknown=(
        "我没有听懂。我会画画(“画一只船上的猫”)、修改图片(“把它变成蓝色”)、"
        "制作短片(“4秒的大海视频”),"
        "也可以停止和重试。"
    ),
    no_picture=(
        "还没有可以处理的图片。要我画一张吗？例如说“画一只雪地里的红狐狸”，或者把照片拖进聊天。"
    ),
    no_running="现在没有正在制作的东西，没有什么可以停止。",
    no_generation="这个对话里还没有做过任何东西。要我画点什么吗？",
    no_retry="还没有可以重试的东西。画什么呢？",
    got_picture="谢谢你的图片。要修改它(“把它变成蓝色”)还是让它动起来？",
    not_offered="这里没有提供相应的工具。",
    later_animate="图片完成后，请说“让它动起来”。",
    started_image="正在画：{what}{ref}。卡片上可以看到进度。",
    started_images="正在画 {n} 张图片：{what}{ref}。卡片上可以看到进度。",
    started_video="正在制作短片：{what}{ref}。卡片上可以看到进度。",
    started_edit="正在修改图片：{what}{ref}。卡片上可以看到进度。",
    retried="正在重试：{what}{ref}。卡片上可以看到进度。",
    cancel_asked="已请求停止{ref};停止后卡片上会显示。",
    cancelled="已停止{ref}。",
    already_finished="它已经完成了{ref},没有什么可以停止。",
    refused="这做不到：{message}",
    queued="它正在排队{ref}。",
    queued_at="它正在排队{ref},第 {place} 位。",
    running="正在制作{ref}。",
    running_at="正在制作{ref}：已完成 {percent} %。",
    completed="好了{ref}：就在它的卡片上。",
    failed="失败了{ref}：{message} 说“再试一次”可以重来。",
    was_cancelled="它已被取消{ref}。说“再试一次”可以重新开始。",
    is_unknown="不知道它怎么样了{ref}：订单的回复丢失了，可能已经收费。请说“再试一次”或“取消”。",
    list_head="这是你做过的东西：",
    list_empty="你还没有做过任何东西。要我画点什么吗？",
    models_head="我会画图、修改图片，并把它们变成短片。可以使用这些模型：",
    done="完成。",
    it="它",
    default_subject="宁静的风景",
    default_motion="轻柔自然的运动",
    kinds={"image": "图片", "video": "短片", "audio": "声音"},
    statuses={
        "queued": "排队中",
        "submitting": "开始中",
        "in_progress": "制作中",
        "storing": "快好了",
        "completed": "已完成",
        "failed": "失败",
        "cancelled": "已取消",
        "unknown": "未知",
    },
    units={"image": "每张", "second": "每秒", "megapixel": "每百万像素"},
)
