"""German."""

from emulators.brain.phrases.sheet import Phrases

GERMAN = Phrases(
    demo_note=(
        "(Übrigens: Ich bin Kinoras Demomodell, ein kleiner Satz von Regeln und kein echtes"
        " Sprachmodell.)"
    ),
    hello=(
        "Hallo! Sag mir, was ich zeichnen soll, zum Beispiel „Zeichne einen roten Fuchs im Schnee,"
        " 16:9“. Danach geht „mach es blau“, „animiere es für 4 Sekunden“ oder „abbrechen“. „Welche"
        " Modelle gibt es?“ zeigt die Maler."
    ),
    thanks="Gern! Soll ich noch etwas zeichnen, ändern oder animieren?",
    yes="Gern. Was soll ich zeichnen? Zum Beispiel „ein Leuchtturm im Abendlicht, 16:9“.",
    unknown=(
        "Das habe ich nicht verstanden. Ich kann zeichnen („zeichne eine Katze im Boot“), ein Bild"
        " ändern („mach es blau“), Filme machen („ein Video vom Meer, 4 Sekunden“), anhalten und"
        " wiederholen."
    ),
    no_picture=(
        "Es gibt noch kein Bild, mit dem ich arbeiten könnte. Soll ich eins zeichnen? Sag zum"
        " Beispiel „zeichne einen roten Fuchs im Schnee“ oder zieh ein Foto in den Chat."
    ),
    no_running="Gerade ist nichts in Arbeit, es gibt also nichts anzuhalten.",
    no_generation="In diesem Gespräch ist noch nichts entstanden. Soll ich etwas zeichnen?",
    no_retry="Es gibt noch nichts zu wiederholen. Was soll ich zeichnen?",
    got_picture="Danke für das Bild. Soll ich es ändern („mach es blau“) oder animieren?",
    not_offered="Dafür habe ich hier kein Werkzeug.",
    later_animate="Wenn das Bild fertig ist, sag „animiere es“.",
    started_image="Ich zeichne: {what}{ref}. Die Karte zeigt, wie weit es ist.",
    started_images="Ich zeichne {n} Bilder: {what}{ref}. Die Karte zeigt, wie weit sie sind.",
    started_video="Ich mache einen Film: {what}{ref}. Die Karte zeigt, wie weit er ist.",
    started_edit="Ich ändere das Bild: {what}{ref}. Die Karte zeigt, wie weit es ist.",
    retried="Ich versuche es noch einmal: {what}{ref}. Die Karte zeigt, wie weit es ist.",
    cancel_asked=(
        "Ich habe darum gebeten, es anzuhalten{ref}; die Karte zeigt, wann es so weit ist."
    ),
    cancelled="Angehalten{ref}.",
    already_finished="Es war schon fertig{ref}, da gab es nichts mehr anzuhalten.",
    refused="Das geht nicht: {message}",
    queued="Es wartet noch{ref}.",
    queued_at="Es wartet noch{ref}, auf Platz {place}.",
    running="Es ist in Arbeit{ref}.",
    running_at="Es ist in Arbeit{ref}: {percent} % fertig.",
    completed="Ja, es ist fertig{ref}: Es steht auf seiner Karte.",
    failed="Es ist misslungen{ref}: {message} Mit „noch einmal“ versuche ich es wieder.",
    was_cancelled="Es wurde abgebrochen{ref}. Mit „noch einmal“ beginne ich neu.",
    is_unknown=(
        "Niemand weiß, was daraus wurde{ref}: Die Antwort auf den Auftrag ging verloren, vielleicht"
        " wurde er berechnet. Sag „noch einmal“ oder „abbrechen“."
    ),
    list_head="Das hast du gemacht:",
    list_empty="Du hast noch nichts gemacht. Soll ich etwas zeichnen?",
    models_head="Ich zeichne Bilder, ändere sie und mache Filme daraus. Diese Modelle gibt es:",
    done="Fertig.",
    it="es",
    default_subject="eine stille Landschaft",
    default_motion="sanfte natürliche Bewegung",
    kinds={"image": "Bild", "video": "Film", "audio": "Ton"},
    statuses={
        "queued": "wartet",
        "submitting": "beginnt",
        "in_progress": "in Arbeit",
        "storing": "fast fertig",
        "completed": "fertig",
        "failed": "misslungen",
        "cancelled": "abgebrochen",
        "unknown": "unbekannt",
    },
    units={"image": "je Bild", "second": "je Sekunde", "megapixel": "je Megapixel"},
)
