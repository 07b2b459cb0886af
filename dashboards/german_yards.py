"""The German of the recycling yards' board: each text as it stands in the code, and what people read."""

WORDS: dict[str, str] = {
    "yard": "Hof",
    "gate held": "Einfahrt angehalten",
    "hold by staff": "Halt durch Personal",
    "notice": "Hinweis",
    "Waiting times as the public sees them, and the sensors they rest on.": (
        "Wartezeiten, wie die Öffentlichkeit sie sieht, und die Sensoren, auf denen sie beruhen."
    ),
    "Wait now, all yards": "Wartezeit jetzt, alle Höfe",
    "Median wait at each yard that shows a number at this moment. A yard without one is closed, held or unknown.": (
        "Mittlere Wartezeit (Median) an jedem Hof, der gerade eine Zahl zeigt. Ein Hof ohne Zahl ist geschlossen, angehalten "
        "oder unbekannt."
    ),
    "one in ten is slower": "einer von zehn langsamer",
    "one in ten is faster": "einer von zehn schneller",
    "median": "Median",
    "expected": "erwartet",
    "Wait": "Wartezeit",
    (
        "From joining the queue to passing the entry control, as estimated at each moment. The band holds eight cars of ten; "
        "a wide one means that the sensors carry little. Shown is the step on page and sign, the median rounded up and held; "
        "61 minutes stand for more than 60."
    ): (
        "Vom Anstellen bis zur Einfahrtskontrolle, wie zu jedem Zeitpunkt geschätzt. Im Band liegen acht von zehn Autos; ein "
        "breites heißt, dass die Sensoren wenig tragen. Gezeigt ist die Stufe auf Seite und Anzeige, der Median aufgerundet "
        "und gehalten; 61 Minuten stehen für mehr als 60."
    ),
    "more in one of ten": "einmal von zehn mehr",
    "fewer in one of ten": "einmal von zehn weniger",
    "cars": "Autos",
    "Queue": "Schlange",
    (
        "Cars in the lane, as estimated. A queue that never returns to zero at night points to a counter that misses cars; a "
        "band that grows, to a counter that is out."
    ): (
        "Autos in der Spur, wie geschätzt. Eine Schlange, die nachts nie auf null geht, weist auf einen Zähler, der Autos "
        "übersieht; ein Band, das wächst, auf einen ausgefallenen Zähler."
    ),
    "held": "angehalten",
    "closing": "schließt",
    "closed": "geschlossen",
    "state": "Zustand",
    "What the yard shows": "Was der Hof anzeigt",
    ("The state on sign and page. Unknown during opening hours means that the sensors carry no number: look at them below."): (
        "Der Zustand auf Anzeige und Seite. Unbekannt während der Öffnungszeit heißt, dass die Sensoren keine Zahl tragen: "
        "siehe unten."
    ),
    "measured": "gemessen",
    "configured": "eingestellt",
    "reckoned": "gekoppelt",
    "trust": "Vertrauen",
    "What the number rests on": "Worauf die Zahl beruht",
    (
        'Measured: calibrated on waits measured back here. Configured: a new yard, faces say "about". Reckoned: a counter is '
        "out and the count goes on by experience; look at the sensors below."
    ): (
        "Gemessen: geeicht an Wartezeiten, die hier nachgemessen wurden. Eingestellt: ein neuer Hof, die Anzeigen sagen "
        "„etwa“. Gekoppelt: Ein Zähler ist aus, und es wird nach Erfahrung weitergezählt; siehe die Sensoren unten."
    ),
    "time left": "verbleibende Zeit",
    "Time left to arrive": "Zeit, noch zu kommen",
    (
        "How much later a car may join the queue and still get in before the last entry, in nine cases of ten: until "
        '"Ankunft bis" on page and sign. At zero somebody should stand at the tail and send cars home.'
    ): (
        "Wie viel später sich ein Auto anstellen kann und in neun von zehn Fällen noch vor Annahmeschluss hineinkommt: bis "
        "„Ankunft bis“ auf Seite und Anzeige. Bei null sollte jemand am Ende der Schlange stehen und Autos heimschicken."
    ),
    "Passages per hour": "Durchfahrten je Stunde",
    (
        "At what rate each counter saw cars, in steps of ten minutes. Entry and exit should agree over a day within five "
        "percent; a counter that stays at zero is dirty, turned away or broken."
    ): (
        "Wie viele Autos jeder Zähler sah, in Schritten von zehn Minuten. Einfahrt und Ausfahrt sollten über einen Tag auf "
        "fünf Prozent übereinstimmen; ein Zähler, der auf null bleibt, ist verschmutzt, verdreht oder defekt."
    ),
    "mean error": "mittlerer Fehler",
    "bias": "Abweichung",
    "Error of what was published": "Fehler des Veröffentlichten",
    (
        "The expected wait as it was published, against the waits that cars then really had, by the hour in which they "
        "joined; reckoned two hours later. A bias above zero means that waits were told too long."
    ): (
        "Die erwartete Wartezeit, wie veröffentlicht, gegen die, die Autos dann wirklich hatten, nach der Stunde, in der sie "
        "sich anstellten; zwei Stunden später berechnet. Eine Abweichung über null heißt, dass zu lange Wartezeiten genannt "
        "wurden."
    ),
    "within 3 minutes": "auf 3 Minuten genau",
    "inside the band": "im Band",
    "Waits that came as told": "Wartezeiten wie angesagt",
    (
        "Share of the hour's waits that were told to within three minutes, and that fell inside the band. The band is meant "
        "to hold 80 %: far less, and it promises too much; far more, and it is too wide to be of use."
    ): (
        "Anteil der Wartezeiten einer Stunde, die auf drei Minuten genau angesagt waren, und derer, die im Band lagen. Das "
        "Band soll 80 % enthalten: viel weniger, und es verspricht zu viel; viel mehr, und es ist zu breit, um zu nützen."
    ),
    "waits": "Wartezeiten",
    "Waits measured back": "Nachgemessene Wartezeiten",
    (
        "Cars whose wait could be told afterwards from entries and exits, by the hour: what the two panels of errors rest "
        "on. None although cars came points to a counter."
    ): (
        "Autos, deren Wartezeit sich nachträglich aus Ein- und Ausfahrten ergab, je Stunde: worauf die beiden Felder der "
        "Fehler beruhen. Keine, obwohl Autos kamen, weist auf einen Zähler."
    ),
    "no": "nein",
    "yes": "ja",
    "gate held: $tag_sensor": "Einfahrt angehalten: $tag_sensor",
    "lane: $tag_sensor": "Spur: $tag_sensor",
    "bay: $tag_sensor": "Entladeplatz: $tag_sensor",
    "What the sensors see": "Was die Sensoren sehen",
    ("Gate, lane and bays. A lane sensor that is busy all night is blocked or dirty; a gap in its bar means that it is silent."): (
        "Einfahrt, Spur und Entladeplätze. Ein Sensor der Spur, der die ganze Nacht belegt ist, ist verstellt oder "
        "verschmutzt; eine Lücke in seinem Balken heißt, dass er schweigt."
    ),
    "Wait by day and hour, four weeks": "Wartezeit nach Tag und Stunde, vier Wochen",
    (
        "Mean of the expected wait in each hour, whatever span the board shows: the darker, the longer. Blank hours had no "
        "number. The column at the left edge is a day of which only a part is in view, and tells nothing."
    ): (
        "Mittel der erwarteten Wartezeit in jeder Stunde, gleich welchen Zeitraum die Tafel zeigt: je dunkler, desto länger. "
        "Leere Stunden hatten keine Zahl. Die Spalte am linken Rand ist ein Tag, der nur zum Teil im Bild ist, und sagt "
        "nichts."
    ),
}
