"""The German of the platform's board: each text as it stands in the code, and what people read."""

WORDS: dict[str, str] = {
    "Gateways and ingest: do they speak, does anything pile up, is anything lost?": (
        "Gateways und Annahme: Sprechen sie, staut sich etwas, geht etwas verloren?"
    ),
    "dropped": "verworfen",
    "quarantined": "in Quarantäne",
    "Readings lost or set aside": "Verlorene oder ausgesonderte Messwerte",
    (
        "Dropped: given up because disk or spool were full; those are gone. Quarantined: refused, and kept for repair "
        "(hoflicht quarantine list). Both should be nothing. Of each gateway the largest count in view, for a restart begins "
        "anew."
    ): (
        "Verworfen: aufgegeben, weil Platte oder Zwischenspeicher voll waren; die sind weg. In Quarantäne: abgewiesen und "
        "für eine Reparatur aufgehoben (hoflicht quarantine list). Beides sollte nichts sein. Von jedem Gateway die größte "
        "Zahl im Zeitraum, denn ein Neustart beginnt von vorn."
    ),
    "running for": "läuft seit",
    "Last word of each gateway": "Letzte Meldung jedes Gateways",
    (
        "The longest silent on top. More than five minutes: power, mobile network, or the machine. Uptime counts from the "
        "start of the program; many short ones in a row are a crash that repeats."
    ): (
        "Das am längsten schweigende oben. Mehr als fünf Minuten: Strom, Mobilfunk oder der Rechner. Die Laufzeit zählt ab "
        "dem Start des Programms; viele kurze hintereinander sind ein Absturz, der sich wiederholt."
    ),
    "not set": "nicht gestellt",
    "set": "gestellt",
    "Clock is set": "Uhr ist gestellt",
    "Without a set clock readings wait unstamped, and the yard has no number. Look at the time service.": (
        "Ohne gestellte Uhr warten Messwerte ohne Zeit, und der Hof hat keine Zahl. Den Zeitdienst ansehen."
    ),
    "Clock against the satellites": "Uhr gegen die Satelliten",
    (
        "Of gateways with a satellite receiver: how far their clock is before its time. Seconds do no harm; minutes make "
        "estimates wrong, and hours shift light programs."
    ): (
        "Bei Gateways mit Satellitenempfänger: wie weit ihre Uhr vorgeht. Sekunden schaden nicht; Minuten machen Schätzungen "
        "falsch, und Stunden verschieben Lichtprogramme."
    ),
    "Readings that wait on the gateways": "Messwerte, die auf den Gateways warten",
    (
        "The spool holds what the database has not confirmed. Most of any gateway, and of the chosen one. Rising everywhere: "
        "broker, ingest or database is away. Rising at one: its network. A saw tooth near zero is health."
    ): (
        "Der Zwischenspeicher hält, was die Datenbank nicht bestätigt hat. Das meiste eines Gateways, und das des gewählten. "
        "Steigt er überall, ist Broker, Annahme oder Datenbank fort; steigt er an einem Gateway, ist es dessen Netz. Ein "
        "Sägezahn nahe null ist gesund."
    ),
    "Hours until a spool is full": "Stunden, bis ein Zwischenspeicher voll ist",
    (
        "At the present rate. After that the oldest of the least important readings go first. Below a day somebody must act "
        "today; above three days it holds over a weekend."
    ): (
        "Beim jetzigen Anfall. Danach gehen die ältesten der unwichtigsten Messwerte zuerst. Unter einem Tag muss heute "
        "jemand handeln; über drei Tagen hält er ein Wochenende."
    ),
    "half of all batches": "die Hälfte aller Pakete",
    "99 of 100": "99 von 100",
    "From batch to receipt": "Vom Paket zur Quittung",
    (
        "Network, broker, ingest and database together, of all gateways. Both lines high: look at the database; the upper "
        "one only: the network of one gateway, whose spool then grows above."
    ): (
        "Netz, Broker, Annahme und Datenbank zusammen, über alle Gateways. Beide Linien hoch: die Datenbank ansehen; nur die "
        "obere: das Netz eines Gateways, dessen Zwischenspeicher dann oben wächst."
    ),
    "left": "noch",
    "Certificates": "Zertifikate",
    (
        "How long each gateway's certificate lasts. Gateways renew theirs while the authority runs; one that did not is cut "
        "off when it ends."
    ): (
        "Wie lange das Zertifikat jedes Gateways gilt. Gateways erneuern ihres, solange die Zertifizierungsstelle läuft; "
        "eines, das es nicht tat, ist mit dem Ablauf abgeschnitten."
    ),
    "Room on the gateways' disks": "Platz auf den Gateways",
    (
        "Share of the disk that is free. The spool stops growing before the disk is full; what else fills it is for the "
        "system's log."
    ): (
        "Freier Anteil der Platte. Der Zwischenspeicher wächst nicht mehr, bevor sie voll ist; was sie sonst füllt, steht im "
        "Protokoll des Systems."
    ),
    "Versions": "Versionen",
    "Which version of the program each gateway and worker runs. One that lags behind did not take the last update.": (
        "Welche Version des Programms jedes Gateway und jede Annahme hat. Wer zurückliegt, hat die letzte Aktualisierung nicht "
        "bekommen."
    ),
    "$tag_site: all": "$tag_site: alle",
    "$tag_site: older than five minutes": "$tag_site: älter als fünf Minuten",
    "Readings stored per second": "Gespeicherte Messwerte je Sekunde",
    (
        "What ingest has written. The second line is the backlog of an outage that comes in; nothing at all: broker, ingest "
        "or database."
    ): (
        "Was die Annahme geschrieben hat. Die zweite Linie ist der Rückstand eines Ausfalls, der hereinkommt; gar nichts: "
        "Broker, Annahme oder Datenbank."
    ),
    "Time that a write takes": "Dauer eines Schreibvorgangs",
    "Of ingest to the database, mean of the minute. A second and more: the database compacts, or its disk is slow.": (
        "Der Annahme in die Datenbank, Mittel der Minute. Eine Sekunde und mehr: Die Datenbank verdichtet, oder ihre Platte "
        "ist langsam."
    ),
    "Writes that the database did not take": "Schreibvorgänge, die die Datenbank nicht annahm",
    (
        "Each is tried again until it does, and the gateways keep their readings that long. While it is away nothing is "
        "shown here, for this too is written there: the bars come afterwards."
    ): (
        "Jeder wird wiederholt, bis sie ihn annimmt, und so lange behalten die Gateways ihre Messwerte. Solange sie fort "
        "ist, steht hier nichts, denn auch das wird dort geschrieben: Die Balken kommen danach."
    ),
    "Set aside, by fault": "Ausgesondert, nach Fehler",
    (
        "Packs that ingest put into its quarantine: what the broker's topic, the catalogue or the table of quantities does "
        "not allow. hoflicht quarantine list shows them; most are a new sensor that is missing in the catalogue."
    ): (
        "Pakete, die die Annahme in ihre Quarantäne gelegt hat: was Thema, Katalog oder die Tabelle der Größen nicht "
        "erlauben. hoflicht quarantine list zeigt sie; meist fehlt ein neuer Sensor im Katalog."
    ),
    "In quarantine": "In Quarantäne",
    "Packs that wait there for somebody to look. When it is full the oldest are given up.": (
        "Pakete, die dort warten, bis jemand hinsieht. Ist sie voll, werden die ältesten aufgegeben."
    ),
    "Last estimate of each yard": "Letzte Schätzung jedes Hofs",
    (
        "They come once a minute, also while a yard is closed. Older than five minutes: the api is away, or cut off from the "
        "database; then the sign shows no number."
    ): (
        "Sie kommen einmal in der Minute, auch wenn ein Hof geschlossen ist. Älter als fünf Minuten: Der Dienst ist fort "
        "oder von der Datenbank abgeschnitten; dann zeigt die Anzeige keine Zahl."
    ),
    "Serial ports that failed": "Ausgefallene serielle Anschlüsse",
    "Times a port could not be opened or went away: plug, hub, power of the sensor.": (
        "Wie oft ein Anschluss sich nicht öffnen ließ oder verschwand: Stecker, Verteiler, Stromversorgung des Sensors."
    ),
    "Frames that never came": "Telegramme, die nie kamen",
    "Gaps in the numbers that our microcontrollers count: a line too long, a receiver too busy.": (
        "Lücken in der Zählung unserer Mikrocontroller: eine zu lange Leitung, ein überlasteter Empfänger."
    ),
    "Noise on the serial lines": "Rauschen auf den seriellen Leitungen",
    (
        "Bytes a minute that belong to no good frame, by port of the chosen gateway. A few after plugging are normal; a "
        "steady stream is a loose ground, a wrong baud rate or the wrong driver."
    ): (
        "Bytes je Minute, die zu keinem guten Telegramm gehören, nach Anschluss des gewählten Gateways. Einige nach dem "
        "Einstecken sind normal; ein steter Strom ist eine lose Masse, eine falsche Baudrate oder der falsche Treiber."
    ),
    "gateway": "Gateway",
    "Spools that are full before Monday": "Zwischenspeicher, die vor Montag voll sind",
    "Gateways whose disk holds less than 72 hours of readings at the present rate: choose one above to see how it came.": (
        "Gateways, deren Platte beim jetzigen Anfall weniger als 72 Stunden an Messwerten hält: oben eines wählen, um zu "
        "sehen, wie es dazu kam."
    ),
    "worst of all": "schlechtestes",
    "all gateways": "alle Gateways",
}
