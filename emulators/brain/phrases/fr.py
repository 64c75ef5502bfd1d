"""French."""

from emulators.brain.phrases.sheet import Phrases

FRENCH = Phrases(
    demo_note=(
        "(Au passage : je suis le modèle de démonstration de Kinora, un petit jeu de règles et"
        " non un"
        " vrai modèle de langage.)"
    ),
    hello=(
        "Bonjour ! Dites-moi quoi dessiner, par exemple « Dessine un renard roux dans la neige,"
        " 16:9 »."
        " Ensuite : « rends-le bleu », « anime-le pendant 4 secondes » ou « annule ». « Quels"
        " modèles ? »"
        " montre les peintres."
    ),
    thanks="Avec plaisir ! Dois-je dessiner autre chose, changer l'image ou l'animer ?",
    yes="Volontiers. Que dois-je dessiner ? Par exemple : « un phare au coucher du soleil, 16:9 ».",
    unknown=(
        "Je n'ai pas compris. Je sais dessiner (« dessine un chat dans un bateau »), changer une"
        " image"
        " (« rends-le bleu »), faire des films (« une vidéo de la mer, 4 secondes »), arrêter et"
        " recommencer."
    ),
    no_picture=(
        "Il n'y a pas encore d'image sur laquelle travailler. Dois-je en dessiner une ? Dites par"
        " exemple « dessine un renard dans la neige », ou déposez une photo dans la conversation."
    ),
    no_running="Rien n'est en cours, il n'y a rien à arrêter.",
    no_generation=(
        "Rien n'a encore été fait dans cette conversation. Dois-je dessiner quelque chose ?"
    ),
    no_retry="Il n'y a encore rien à recommencer. Que dois-je dessiner ?",
    got_picture="Merci pour l'image. Dois-je la changer (« rends-la bleue ») ou l'animer ?",
    not_offered="Je n'ai pas l'outil pour cela ici.",
    later_animate="Quand l'image sera prête, dites « anime-la ».",
    started_image="Je dessine : {what}{ref}. La carte montre où j'en suis.",
    started_images="Je dessine {n} images : {what}{ref}. La carte montre où j'en suis.",
    started_video="Je fais un film : {what}{ref}. La carte montre où j'en suis.",
    started_edit="Je change l'image : {what}{ref}. La carte montre où j'en suis.",
    retried="Je recommence : {what}{ref}. La carte montre où j'en suis.",
    cancel_asked="J'ai demandé l'arrêt{ref} ; la carte montrera quand c'est fait.",
    cancelled="Arrêté{ref}.",
    already_finished="C'était déjà terminé{ref}, il n'y avait plus rien à arrêter.",
    refused="Ce n'est pas possible : {message}",
    queued="C'est en attente{ref}.",
    queued_at="C'est en attente{ref}, à la place {place}.",
    running="C'est en cours{ref}.",
    running_at="C'est en cours{ref} : {percent} % de fait.",
    completed="Oui, c'est prêt{ref} : regardez la carte.",
    failed="Cela a échoué{ref} : {message} Dites « réessaie » pour recommencer.",
    was_cancelled="Cela a été annulé{ref}. Dites « réessaie » pour recommencer.",
    is_unknown=(
        "On ne sait pas ce que c'est devenu{ref} : la réponse à la commande s'est perdue, elle a"
        " peut-être été facturée. Dites « réessaie » ou « annule »."
    ),
    list_head="Voici ce que vous avez fait :",
    list_empty="Vous n'avez encore rien fait. Dois-je dessiner quelque chose ?",
    models_head="Je dessine des images, je les change et j'en fais des films. Voici les modèles :",
    done="C'est fait.",
    it="la",
    default_subject="un paysage paisible",
    default_motion="un mouvement doux et naturel",
    kinds={"image": "image", "video": "film", "audio": "son"},
    statuses={
        "queued": "en attente",
        "submitting": "commence",
        "in_progress": "en cours",
        "storing": "presque prêt",
        "completed": "prêt",
        "failed": "échoué",
        "cancelled": "annulé",
        "unknown": "inconnu",
    },
    units={"image": "par image", "second": "par seconde", "megapixel": "par mégapixel"},
)
