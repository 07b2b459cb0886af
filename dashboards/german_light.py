"""The German of lamps, faults and energy, and of the city's boards: each text as it stands in the code, and what people read."""

WORDS: dict[str, str] = {
    "City": "Stadt",
    "What is wrong in the city now, and where to look further.": "Was in der Stadt gerade nicht stimmt, und wo man weitersieht.",
    "Street lamps": "Straßenbeleuchtung",
    "burning": "brennen",
    "dark": "dunkel",
    "Lamps": "Leuchten",
    "By their last word. Nothing is heard: of lamps, cabinets and gateways that the api misses.": (
        "Nach ihrer letzten Meldung. Nichts zu hören: von Leuchten, Schaltschränken und Gateways, die der Dienst vermisst."
    ),
    "Platform": "Plattform",
    "known": "bekannt",
    "online": "verbunden",
    "Gateways": "Gateways",
    (
        "Heard of in the last five minutes, and in the last seven days. Where the two differ, the board of the platform says "
        "who is silent."
    ): (
        "In den letzten fünf Minuten gehört, und in den letzten sieben Tagen. Weichen beide voneinander ab, zeigt die Tafel "
        "der Plattform, wer schweigt."
    ),
    "Recycling yards": "Recyclinghöfe",
    "open": "offen",
    "unknown": "unbekannt",
    "Yards": "Höfe",
    "Open with a number on sign and page, and without one though they may be open: there the sensors carry none.": (
        "Offen mit einer Zahl auf Anzeige und Seite, und ohne Zahl, obwohl vielleicht offen: Dort tragen die Sensoren keine."
    ),
    "Look at this yard": "Diesen Hof ansehen",
    "Wait now": "Wartezeit jetzt",
    "Median wait at each yard that shows a number at this moment; a click leads to the yard.": (
        "Mittlere Wartezeit (Median) an jedem Hof, der gerade eine Zahl zeigt; ein Klick führt zum Hof."
    ),
    "Energy of the light": "Energie der Beleuchtung",
    "cabinets": "Schaltschränke",
    "lamps": "Leuchten",
    "Energy of the light in 24 hours": "Energie der Beleuchtung in 24 Stunden",
    "By the cabinets' meters, and by those in the lamps. They differ by what cables and drivers lose.": (
        "Nach den Zählern der Schaltschränke und nach denen in den Leuchten. Der Unterschied ist, was Kabel und Treiber verlieren."
    ),
    "Environment": "Umwelt",
    "PM2.5": "PM2,5",
    "PM10": "PM10",
    "Air in 24 hours, worst place": "Luft in 24 Stunden, schlechtester Ort",
    "Mean of the last 24 hours where it was highest. Optical sensors: good for comparing, no proof before the law.": (
        "Mittel der letzten 24 Stunden an dem Ort, wo es am höchsten war. Optische Sensoren: gut zum Vergleichen, kein "
        "Nachweis im Sinne des Gesetzes."
    ),
    "Open faults by kind": "Offene Störungen nach Art",
    (
        "How many lamps and cabinets have each fault now. Tonight somebody must go where lamps do not light, a whole line "
        "has no mains, or a cabinet's door is open; the others can wait for the next round."
    ): (
        "Wie viele Leuchten und Schaltschränke jede Störung gerade haben. Heute noch muss jemand hin, wo Leuchten nicht "
        "leuchten, ein ganzer Strang kein Netz hat oder eine Schranktür offen steht; der Rest hat Zeit bis zur nächsten "
        "Runde."
    ),
    "Look at this lamp": "Diese Leuchte ansehen",
    "last word": "letzte Meldung",
    "faults": "Störungen",
    "street": "Straße",
    "Where": "Wo",
    (
        "Lamps, cabinets and gateways with open faults; a click leads to the lamp. Seen: how many faults of it staff have "
        "acknowledged in the last seven days; those alarm nobody."
    ): (
        "Leuchten, Schaltschränke und Gateways mit offenen Störungen; ein Klick führt zur Leuchte. Gesehen: wie viele "
        "Störungen das Personal dort in den letzten sieben Tagen quittiert hat; die lösen keinen Alarm aus."
    ),
    "seen": "gesehen",
    "Open faults by street": "Offene Störungen nach Straße",
    "Many in one street at once: a cable, a fuse or a cabinet.": (
        "Viele in einer Straße zugleich: ein Kabel, eine Sicherung oder ein Schaltschrank."
    ),
    "Map of the lamps": "Karte der Leuchten",
    "Lamps and cabinets where the catalogue has them; red has a fault, a larger dot burns brighter.": (
        "Leuchten und Schaltschränke, wo der Katalog sie hat; rot hat eine Störung, ein größerer Punkt brennt heller."
    ),
    "Map of the yards": "Karte der Höfe",
    "In the colour of the wait, with the minutes that page and sign show. Green without a number: none is shown now.": (
        "In der Farbe der Wartezeit, mit den Minuten, die Seite und Anzeige zeigen. Grün ohne Zahl: Gerade wird keine gezeigt."
    ),
    "part of the city": "Teil der Stadt",
    "Failures, light levels and wear of the street lamps.": "Ausfälle, Lichtstärke und Verschleiß der Straßenbeleuchtung.",
    "Lamps now": "Leuchten jetzt",
    (
        "By their last word. One that does not light waits for the next round; from five on look for a cable. Nothing is "
        "heard: neither the lamp nor its cabinet has said anything for half an hour, though the gateway does."
    ): (
        "Nach ihrer letzten Meldung. Eine, die nicht leuchtet, wartet bis zur nächsten Runde; ab fünf suche man ein Kabel. "
        "Nichts zu hören: seit einer halben Stunde kein Wort, obwohl das Gateway spricht."
    ),
    "do not light": "leuchten nicht",
    "burn by day": "brennen bei Tag",
    "Failing lamps": "Ausgefallene Leuchten",
    "How many in each hour. A step is a cable, a fuse or a cabinet; a slope is age.": (
        "Wie viele in jeder Stunde. Eine Stufe ist ein Kabel, eine Sicherung oder ein Schaltschrank; ein Anstieg ist das Alter."
    ),
    "target": "Soll",
    "feedback": "gesendet",
    "actual": "Ist",
    "Light level of the street": "Lichtstärke der Straße",
    (
        "Mean of all lamps, hour by hour: what was asked for, what the gateways sent, what the drivers report. Where the "
        "three part, orders do not arrive or lamps do not obey."
    ): (
        "Mittel aller Leuchten, Stunde für Stunde: was verlangt war, was die Gateways gesendet haben, was die Treiber "
        "melden. Gehen die drei auseinander, kommen Befehle nicht an oder Leuchten gehorchen nicht."
    ),
    "sum of the lamps": "Summe der Leuchten",
    "meter": "Zähler",
    "Energy by the hour": "Energie je Stunde",
    (
        "What the lamps have counted, beside what the cabinets measure; a kilowatt-hour in an hour is a kilowatt. The meter "
        "above the sum is loss, a lamp that does not report, or somebody else on the cable; energy by day is a lamp that "
        "burns for nothing."
    ): (
        "Was die Leuchten gezählt haben, neben dem, was die Schaltschränke messen; eine Kilowattstunde je Stunde ist ein "
        "Kilowatt. Liegt der Zähler über der Summe, so ist das Verlust, eine Leuchte, die nichts meldet, oder jemand anderes "
        "am Kabel; Energie bei Tag ist eine Leuchte, die umsonst brennt."
    ),
    "life left": "Restlebensdauer",
    "Lamps near their end": "Leuchten am Ende ihrer Lebensdauer",
    (
        "Rated life that is left, by burn hours or by starts, where it is below a fifth: order in good time. A lamp may burn "
        "longer, but with less light than the street was planned for."
    ): (
        "Rest der Nennlebensdauer, nach Brennstunden oder nach Starts, wo er unter einem Fünftel liegt: rechtzeitig "
        "bestellen. Eine Leuchte kann länger brennen, aber mit weniger Licht, als für die Straße geplant war."
    ),
    "One lamp": "Eine Leuchte",
    "lamp": "Leuchte",
    "fault begins": "Störung beginnt",
    "seen by staff": "vom Personal gesehen",
    "One lamp: level and reason, power, energy, wear and faults.": (
        "Eine Leuchte: Lichtstärke und Grund, Leistung, Energie, Verschleiß und Störungen."
    ),
    "energy": "Energie",
    "Energy in view": "Energie im Zeitraum",
    "By the driver's own meter, in the span of time that the board shows.": (
        "Nach dem Zähler des Treibers, im Zeitraum, den die Tafel zeigt."
    ),
    "starts": "Starts",
    "hours burnt": "Brennstunden",
    "Wear": "Verschleiß",
    (
        "Hours burnt, times switched on, and how much of the rated life is left, by hours or by starts, whichever is less. "
        "Many starts for few hours are a contact that is loose or a sensor that flutters."
    ): (
        "Brennstunden, Einschaltungen und der Rest der Nennlebensdauer, nach Stunden oder nach Starts, je nachdem, was "
        "weniger ist. Viele Starts bei wenigen Stunden sind ein loser Kontakt oder ein Sensor, der flattert."
    ),
    "Light level of one lamp": "Lichtstärke einer Leuchte",
    (
        "Target is what was asked for, feedback what the gateway sent, actual what the driver reports. Where target and "
        "feedback part, the gateway holds something back; where feedback and actual part, the lamp does not obey."
    ): (
        "Soll ist, was verlangt war, gesendet, was das Gateway gesendet hat, Ist, was der Treiber meldet. Weichen Soll und "
        "gesendet ab, hält das Gateway etwas zurück; weichen gesendet und Ist ab, gehorcht die Leuchte nicht."
    ),
    "failsafe": "Notbetrieb",
    "program": "Programm",
    "sensor": "Sensor",
    "override": "Eingriff",
    "reason": "Grund",
    "Why it burns so": "Warum sie so brennt",
    (
        "Program: calendar and sun. Sensor: traffic or weather raised it. Override: somebody asked for it, until it expires. "
        "Failsafe: the gateway has neither program nor clock, and gives full light when it is dark."
    ): (
        "Programm: Kalender und Sonne. Sensor: Verkehr oder Wetter haben es angehoben. Eingriff: Jemand hat es verlangt, bis "
        "er abläuft. Notbetrieb: Das Gateway hat weder Programm noch Uhr und gibt bei Dunkelheit volles Licht."
    ),
    "well": "gut",
    "fault": "Störung",
    "Faults": "Störungen",
    "Each fault that the lamp, or the platform on its behalf, has told of; red needs somebody soon.": (
        "Jede Störung, die die Leuchte oder für sie die Plattform gemeldet hat; Rot braucht bald jemanden."
    ),
    "power": "Leistung",
    "Power of one lamp": "Leistung einer Leuchte",
    "Follows the level. Power without light is a failed module, light without power a failed sensor.": (
        "Folgt der Lichtstärke. Leistung ohne Licht ist ein defektes Modul, Licht ohne Leistung ein defekter Sensor."
    ),
    "mains voltage": "Netzspannung",
    "temperature": "Temperatur",
    "Inside the driver": "Im Treiber",
    "Temperature, and the mains voltage on the right. Heat that rises over weeks is a dirty or a broken heat sink.": (
        "Temperatur, und rechts die Netzspannung. Hitze, die über Wochen steigt, ist ein verschmutzter oder defekter Kühlkörper."
    ),
    "What the light takes and saves, by night, group and cabinet, from the hourly values that are kept for ever.": (
        "Was die Beleuchtung braucht und spart, nach Nacht, Gruppe und Schaltschrank, aus den Stundenwerten, die für immer bleiben."
    ),
    "saved": "gespart",
    "before": "früher",
    "used": "verbraucht",
    "Used and saved in view": "Verbraucht und gespart im Zeitraum",
    (
        "By the lamps' own meters. Before: the luminaires that stood there until then, at the power that the catalogue gives "
        "them, burning for as many hours as these did. What is saved by switching off in the night comes on top: the monthly "
        "report reckons with it, and with meters that were replaced."
    ): (
        "Nach den Zählern der Leuchten. Früher: die Leuchten, die vorher dort standen, mit der Leistung aus dem Katalog und "
        "so vielen Brennstunden wie die heutigen. Was das Abschalten in der Nacht spart, kommt hinzu: Der Monatsbericht "
        "rechnet damit, und mit getauschten Zählern."
    ),
    "Energy per night": "Energie je Nacht",
    ("From noon to noon: the lamps by their own meters, the cabinets by theirs, and what the lamps of before would have taken."): (
        "Von Mittag zu Mittag: die Leuchten nach ihren Zählern, die Schaltschränke nach den ihren, und was die früheren "
        "Leuchten gebraucht hätten."
    ),
    "Cabinets against their lamps": "Schaltschränke gegen ihre Leuchten",
    (
        "The last two days, hour by hour. Cables and drivers lose some percent. A cabinet that is above its lamps by day and by "
        "night alike feeds somebody else, one that is above them by day only feeds lamps that burn for nothing. Choose a "
        "street or a cabinet above."
    ): (
        "Die letzten zwei Tage, Stunde für Stunde. Kabel und Treiber verlieren einige Prozent. Liegt ein Schaltschrank bei Tag "
        "und Nacht über seinen Leuchten, so speist er noch jemanden; nur bei Tag, so brennen Leuchten umsonst. Oben lässt sich "
        "eine Straße oder ein Schaltschrank wählen."
    ),
    "Energy by group in view": "Energie nach Gruppe im Zeitraum",
    "By the lamps' own meters; which lamps belong to a group stands in the catalogue.": (
        "Nach den Zählern der Leuchten; welche zu einer Gruppe gehören, steht im Katalog."
    ),
    "Energy by cabinet in view": "Energie nach Schaltschrank im Zeitraum",
    "By the cabinets' meters: what the utility bills.": "Nach den Zählern der Schaltschränke: was der Versorger berechnet.",
    "Energy by week, one year": "Energie je Woche, ein Jahr",
    ("By the cabinets' meters, whatever span the board shows: long nights in winter, and what dimming and new lamps changed."): (
        "Nach den Zählern der Schaltschränke, gleich welchen Zeitraum die Tafel zeigt: lange Nächte im Winter, und was "
        "Dimmen und neue Leuchten geändert haben."
    ),
    "shown": "gezeigt",
}
