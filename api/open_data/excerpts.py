"""Worked examples of what is no JSON of ours: the beginnings of real answers, as OpenAPI shows them."""

DAY = """at,wait_p10_s,wait_p50_s,wait_p90_s,queue,passed gate-in,passed lane-in\r
2026-11-20T08:00:00+01:00,120.0,310.0,640.0,4.2,3.0,6.0\r
2026-11-20T08:05:00+01:00,190.0,425.5,810.0,6.1,4.0,5.0\r
"""
CALENDAR = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//hoflicht//opening hours//DE\r
BEGIN:VEVENT\r
UID:2026-12-24-hof-nord@hoflicht\r
DTSTAMP:20261123T000000Z\r
DTSTART;VALUE=DATE:20261224\r
DTEND;VALUE=DATE:20261225\r
SUMMARY:Recyclinghof Nord geschlossen\r
LOCATION:Im Holtkamp 84\\, 47167 Duisburg\r
TRANSP:TRANSPARENT\r
END:VEVENT\r
END:VCALENDAR\r
"""
FEED = """<?xml version='1.0' encoding='utf-8'?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
<id>urn:uuid:1b0d5e4e-6b1c-5e4f-9d0a-4b9b8f0b8e11</id>
<title>Recyclinghöfe Duisburg: Hinweise</title>
<updated>2026-11-23T09:00:00+00:00</updated>
<author><name>Stadt Duisburg</name></author>
<entry>
<id>urn:uuid:7c9f3a52-0a53-5d0c-8a43-3f2f3c6f1c55</id>
<title>Recyclinghof Nord: Grünschnitt wird heute nur bis 15 Uhr angenommen.</title>
<updated>2026-11-23T09:00:00+00:00</updated>
<content type="text">Grünschnitt wird heute nur bis 15 Uhr angenommen.</content>
</entry>
</feed>
"""
PLACES = {
    "@context": "https://schema.org",
    "@graph": [
        {
            "@type": "RecyclingCenter",
            "@id": "https://waiting.example.org/v1/yards/hof-nord",
            "name": "Recyclinghof Nord",
            "geo": {"@type": "GeoCoordinates", "latitude": 51.4936, "longitude": 6.7486},
            "openingHoursSpecification": [
                {
                    "@type": "OpeningHoursSpecification",
                    "opens": "08:00",
                    "closes": "18:00",
                    "dayOfWeek": ["https://schema.org/Monday"],
                }
            ],
        }
    ],
}
CATALOGUE = {
    "@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"},
    "@graph": [
        {
            "@id": "https://waiting.example.org/v1/catalogue",
            "@type": "dcat:Catalog",
            "dct:title": {"@value": "Offene Daten: Recyclinghöfe und Licht in Duisburg", "@language": "de"},
            "dct:publisher": {"@id": "https://waiting.example.org/v1/catalogue#publisher"},
            "dcat:dataset": [{"@id": "https://waiting.example.org/v1/catalogue#waits"}],
        }
    ],
}
CATALOGUE_TURTLE = """@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .

<https://waiting.example.org/v1/catalogue>
    a dcat:Catalog ;
    dct:title "Offene Daten: Recyclinghöfe und Licht in Duisburg"@de ;
    dct:publisher <https://waiting.example.org/v1/catalogue#publisher> ;
    dcat:dataset <https://waiting.example.org/v1/catalogue#waits> .
"""
