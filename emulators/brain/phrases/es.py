"""Spanish."""

from emulators.brain.phrases.sheet import Phrases

SPANISH = Phrases(
    demo_note=(
        "(Por cierto: soy el modelo de demostración de Kinora, un pequeño conjunto de reglas y"
        " no un"
        " modelo de lenguaje de verdad.)"
    ),
    hello=(
        "¡Hola! Dime qué dibujar, por ejemplo «Dibuja un zorro rojo en la nieve, 16:9». Después:"
        " «hazlo azul», «anímalo durante 4 segundos» o «cancela». «¿Qué modelos hay?» muestra los"
        " pintores."
    ),
    thanks="¡De nada! ¿Dibujo otra cosa, la cambio o la animo?",
    yes="Con gusto. ¿Qué dibujo? Por ejemplo: «un faro al atardecer, 16:9».",
    unknown=(
        "No lo he entendido. Sé dibujar («dibuja un gato en un barco»), cambiar una imagen («hazlo"
        " azul»), hacer películas («un vídeo del mar, 4 segundos»), parar y repetir."
    ),
    no_picture=(
        "Todavía no hay ninguna imagen con la que trabajar. ¿Dibujo una? Di, por ejemplo,"
        " «dibuja un"
        " zorro rojo en la nieve», o suelta una foto en el chat."
    ),
    no_running="Ahora mismo no se está haciendo nada, no hay nada que parar.",
    no_generation="En esta conversación aún no se ha hecho nada. ¿Dibujo algo?",
    no_retry="Todavía no hay nada que repetir. ¿Qué dibujo?",
    got_picture="Gracias por la imagen. ¿La cambio («hazla azul») o la animo?",
    not_offered="Aquí no tengo la herramienta para eso.",
    later_animate="Cuando la imagen esté lista, di «anímala».",
    started_image="Estoy dibujando: {what}{ref}. La tarjeta muestra cómo va.",
    started_images="Estoy dibujando {n} imágenes: {what}{ref}. La tarjeta muestra cómo van.",
    started_video="Estoy haciendo una película: {what}{ref}. La tarjeta muestra cómo va.",
    started_edit="Estoy cambiando la imagen: {what}{ref}. La tarjeta muestra cómo va.",
    retried="Lo intento otra vez: {what}{ref}. La tarjeta muestra cómo va.",
    cancel_asked="He pedido que se pare{ref}; la tarjeta mostrará cuándo.",
    cancelled="Parado{ref}.",
    already_finished="Ya estaba terminado{ref}, no quedaba nada que parar.",
    refused="Eso no es posible: {message}",
    queued="Está esperando su turno{ref}.",
    queued_at="Está esperando su turno{ref}, en el puesto {place}.",
    running="Está en marcha{ref}.",
    running_at="Está en marcha{ref}: {percent} % hecho.",
    completed="Sí, está listo{ref}: míralo en su tarjeta.",
    failed="Ha fallado{ref}: {message} Di «otra vez» para repetirlo.",
    was_cancelled="Se canceló{ref}. Di «otra vez» para empezar de nuevo.",
    is_unknown=(
        "Nadie sabe qué ha sido de ello{ref}: la respuesta al encargo se perdió y quizá se haya"
        " cobrado. Di «otra vez» o «cancela»."
    ),
    list_head="Esto es lo que has hecho:",
    list_empty="Todavía no has hecho nada. ¿Dibujo algo?",
    models_head="Dibujo imágenes, las cambio y las convierto en películas. Estos son los modelos:",
    done="Hecho.",
    it="la",
    default_subject="un paisaje tranquilo",
    default_motion="un movimiento suave y natural",
    kinds={"image": "imagen", "video": "película", "audio": "sonido"},
    statuses={
        "queued": "en espera",
        "submitting": "empezando",
        "in_progress": "en marcha",
        "storing": "casi listo",
        "completed": "listo",
        "failed": "fallido",
        "cancelled": "cancelado",
        "unknown": "desconocido",
    },
    units={"image": "por imagen", "second": "por segundo", "megapixel": "por megapíxel"},
)
