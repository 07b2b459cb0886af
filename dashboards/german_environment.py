"""The German of the environment's board: each text as it stands in the code, and what people read."""

WORDS: dict[str, str] = {
    "air at": "Luft an",
    "traffic at": "Verkehr an",
    "weather at": "Wetter an",
    "noise at": "Lärm an",
    "Air, traffic, noise and weather.": "Luft, Verkehr, Lärm und Wetter.",
    "Noise": "Lärm",
    "sound level": "Schallpegel",
    (
        "Sound level by the hour at the chosen place, the mean of its energy in dB(A): ten more sound twice as loud. The law "
        "allows new roads 49 in the night and 59 by day where people live (16. BImSchV), reckoned and not measured: good for "
        "comparing, no proof."
    ): (
        "Schallpegel je Stunde am gewählten Ort, energetisch gemittelt, in dB(A): Zehn mehr klingen doppelt so laut. Das "
        "Gesetz erlaubt neuen Straßen 49 in der Nacht und 59 am Tag, wo Menschen wohnen (16. BImSchV), berechnet und nicht "
        "gemessen: gut zum Vergleichen, kein Nachweis."
    ),
    "Particulates": "Feinstaub",
    (
        "Fine dust by the hour at the chosen place. A peak in the evening is heating, at rush hour traffic. Fog swells "
        "particles, and an optical sensor then shows too much."
    ): (
        "Feinstaub je Stunde am gewählten Ort. Eine Spitze am Abend ist Heizung, zur Stoßzeit Verkehr. Nebel lässt Teilchen "
        "quellen, und ein optischer Sensor zeigt dann zu viel."
    ),
    "PM10 above 50": "PM10 über 50",
    "PM10 above 45": "PM10 über 45",
    "PM2.5 above 25": "PM2,5 über 25",
    "Days above the limit in a year": "Tage über dem Grenzwert in einem Jahr",
    (
        "Days of the last 365 whose mean was above. Allowed are 35 days above 50 µg/m³ PM10 (2008/50/EC, until 2029), and "
        "from 2030 on 18 days above 45 µg/m³ PM10 and 18 above 25 µg/m³ PM2.5 (2024/2881). An optical sensor is no reference "
        "instrument (EN 12341)."
    ): (
        "Tage der letzten 365, deren Mittel darüber lag. Erlaubt sind 35 Tage über 50 µg/m³ PM10 (2008/50/EG, bis 2029) und "
        "ab 2030 18 Tage über 45 µg/m³ PM10 und 18 über 25 µg/m³ PM2,5 (2024/2881). Ein optischer Sensor ist kein "
        "Referenzgerät (EN 12341)."
    ),
    "mean of the day": "Tagesmittel",
    "PM10 by day": "PM10 je Tag",
    (
        "Mean of each day, with what the law allows: 50 µg/m³ until 2029 (2008/50/EC), 45 µg/m³ from 2030 on (2024/2881) and "
        "by the WHO's guideline of 2021."
    ): (
        "Mittel jedes Tages, mit dem, was das Gesetz erlaubt: 50 µg/m³ bis 2029 (2008/50/EG), 45 µg/m³ ab 2030 (2024/2881) "
        "und nach der Richtlinie der WHO von 2021."
    ),
    "PM2.5 by day": "PM2,5 je Tag",
    (
        "Mean of each day, with 25 µg/m³, which the law allows from 2030 on (2024/2881), and 15 µg/m³, the WHO's guideline of 2021."
    ): (
        "Mittel jedes Tages, mit 25 µg/m³, die das Gesetz ab 2030 erlaubt (2024/2881), und 15 µg/m³, der Richtlinie der WHO "
        "von 2021."
    ),
    "vehicles": "Fahrzeuge",
    "Vehicles by the hour": "Fahrzeuge je Stunde",
    "What the radar at the chosen lamp counted, in both directions.": (
        "Was das Radar an der gewählten Leuchte gezählt hat, in beiden Richtungen."
    ),
    "half drive slower": "die Hälfte fährt langsamer",
    "85 of 100 drive slower": "85 von 100 fahren langsamer",
    "Speed": "Geschwindigkeit",
    (
        "By the hour. The upper line is what traffic engineers go by (V85): more than a few km/h above the limit and the "
        "street invites it."
    ): (
        "Je Stunde. Nach der oberen Linie richten sich Verkehrsplaner (V85): Liegt sie mehr als einige km/h über dem "
        "Erlaubten, so lädt die Straße dazu ein."
    ),
    "humidity": "Luftfeuchte",
    "Temperature and humidity": "Temperatur und Luftfeuchte",
    "At the weather station. Around zero and humid: ice on the road.": (
        "An der Wetterstation. Um null Grad und feucht: Glätte auf der Straße."
    ),
    "mean": "Mittel",
    "strongest": "stärkster",
    "Wind": "Wind",
    "Mean and strongest of the averages at the weather station. From 20 m/s on branches fall, and masts sway.": (
        "Mittel und stärkster der Mittelwerte an der Wetterstation. Ab 20 m/s fallen Äste, und Masten schwanken."
    ),
    "rain": "Regen",
    "Rain": "Regen",
    "Intensity at the weather station: what makes lamps of a wet class brighter.": (
        "Stärke an der Wetterstation: was Leuchten mit einer Klasse für Nässe heller macht."
    ),
    "daylight": "Tageslicht",
    "Daylight": "Tageslicht",
    ("Illuminance at the weather station. Street lamps go on at some ten lux; a sensor that never falls to zero sees a lamp."): (
        "Beleuchtungsstärke an der Wetterstation. Straßenleuchten gehen bei einigen zehn Lux an; ein Sensor, der nie auf "
        "null fällt, sieht eine Leuchte."
    ),
}
