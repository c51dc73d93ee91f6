"""Kinds of the department of electronics."""

from worldschool.envs.shop.generated.kinds import Row, family

ELECTRONICS = (
    *family(
        "electronics",
        "Electronics › Audio",
        is_="wireless; water resistant; long lasting; hands free; high definition",
        has="stereo sound; *carrying case",
        options="color=device",
        uses="home, travel, running, gym, office, kids",
        rows=(
            Row(
                "headphones, over ear headphones", "Headphones › Over-Ear", (18, 260), "headphones", is_="noise cancelling; foldable",
                has="memory foam; *built in microphone; deep bass; fast charging", article="a pair of",
            ),
            Row("earbuds, in ear headphones", "Headphones › In-Ear", (12, 190), "earbuds", is_="noise cancelling; sweatproof", has="touch control; *charging case; deep bass; fast charging", article="a pair of"),
            Row("bluetooth speaker, portable speaker", "Speakers › Portable", (15, 220), "speaker", is_="easy to carry; dustproof", has="LED lights; *usb port; deep bass; fast charging", uses="parties, the beach"),
            Row("soundbar, sound bar speaker", "Speakers › Home Theater", (45, 420), "soundbar", is_="wall mountable", has="surround sound; deep bass; *wireless subwoofer; *remote control", uses="tv"),
            Row("microphone, recording microphone", "Microphones", (22, 210), "microphone", is_="plug and play; noise cancelling", has="*pop filter; *mute button", uses="podcasts, streaming"),
        ),
    ),
    *family(
        "electronics",
        "Electronics › Cell Phones & Accessories",
        is_="easy to install; heavy duty; scratch resistant",
        uses="travel, home, car, office",
        rows=(
            Row("phone case, cell phone cover", "Cases", (6, 55), "phone", made="silicone / tempered glass / carbon fiber / vegan leather", is_="shockproof; slim fit; wireless charging compatible", has="*card holder; *kickstand", options="color=device, model=phone"),
            Row("screen protector, glass screen protector", "Screen Protectors", (5, 30), "glass", made="tempered glass / flexible film", is_="case friendly; anti glare; bubble free; fingerprint resistant", options="model=phone, pack=packs"),
            Row("phone charger, wall charger", "Chargers", (8, 60), "charger", is_="fast charging; compact; universal", has="*usb port; *foldable plug; overheat protection", options="color=device, plug type=plug"),
            Row("charging cable, usb charging cord", "Cables", (5, 32), "cable", made="braided nylon / silicone", is_="fast charging; tangle free", has="aluminum connectors", options="color=device, length=cable, pack=packs"),
            Row("power bank, portable charger", "Portable Power", (14, 95), "powerbank", is_="fast charging; lightweight; airline safe", has="*LED display; *usb port", options="color=device, capacity=power"),
            Row("phone mount, car phone holder", "Mounts", (8, 46), "mount", is_="one hand operated", has="*suction cup / *vent clip; *adjustable arm", options="style=shape"),
        ),
    ),
    *family(
        "electronics",
        "Electronics › Computers & Accessories",
        is_="lightweight; space saving; easy to use; heavy duty",
        uses="home office, gaming, students, work",
        rows=(
            Row("keyboard, computer keyboard", "Keyboards", (18, 170), "keyboard", is_="wireless; ergonomic; quiet; rechargeable; plug and play", has="RGB lighting; *number pad; *wrist rest", options="color=device, switch=switches"),
            Row("mouse, computer mouse", "Mice", (9, 110), "mouse", is_="wireless; ergonomic; quiet; rechargeable; plug and play", has="side buttons; *adjustable dpi; RGB lighting", options="color=device", query="computer mice"),
            Row("monitor, computer monitor", "Monitors", (95, 620), "monitor", is_="height adjustable; wall mountable; ultra wide; energy efficient", has="*hdmi port; built in speakers; *anti glare screen; *high refresh rate", options="size=screen, color=device"),
            Row("laptop stand, notebook riser", "Stands", (14, 80), "stand", made="aluminum / bamboo / steel", is_="foldable; height adjustable; non slip", options="color=metal"),
            Row("laptop sleeve, notebook sleeve case", "Bags & Sleeves", (10, 58), "sleeve", made="neoprene / canvas / felt", is_="water resistant; shockproof", has="*accessory pocket; zipper closure", options="color=cloth, size=laptop"),
            Row("webcam, web camera", "Webcams", (19, 150), "webcam", is_="high definition; easy to install; plug and play", has="auto focus; *privacy cover; *built in microphone", uses="video calls"),
            Row("usb hub, multiport adapter", "Hubs", (12, 85), "hub", made="aluminum / abs plastic", is_="compact; plug and play", has="*hdmi port; fast data transfer; *card reader", options="color=device"),
            Row("external hard drive, portable hard drive", "Storage › Drives", (45, 210), "drive", is_="shockproof; compact; password protected; plug and play", has="fast data transfer; *usb port", options="color=device, capacity=disk"),
            Row("memory card, micro sd card", "Storage › Memory Cards", (8, 90), "card", is_="high speed; water resistant; shockproof", has="*card adapter; error correction", options="capacity=storage, pack=packs"),
            Row("wifi router, wireless router", "Networking › Routers", (35, 290), "router", is_="dual band / tri band; easy to install; high speed", has="parental controls; *guest network; *usb port", options="color=device"),
            Row("tablet, android tablet", "Tablets", (79, 480), "tablet", is_="high definition; fast charging", has="*dual camera; stereo sound; *quad core processor", options="color=device, capacity=storage"),
        ),
    ),
    *family(
        "electronics",
        "Electronics › Camera, TV & Video",
        is_="easy to install; heavy duty; lightweight",
        uses="home, travel, outdoors, streaming",
        rows=(
            Row("action camera, sports camera", "Cameras › Action", (49, 380), "camera", is_="waterproof; wireless; high definition", has="image stabilization; night vision; *touch screen", options="color=device"),
            Row("security camera, surveillance camera", "Cameras › Security", (25, 240), "securitycam", is_="wireless; weatherproof; battery powered; high definition", has="night vision; motion detection; two way audio", options="color=device, pack=packs"),
            Row("tripod, camera tripod", "Accessories › Tripods", (16, 140), "tripod", made="aluminum / carbon fiber", is_="foldable; easy to carry", has="quick release; *phone holder; *carrying bag", options="color=device"),
            Row("hdmi cable, video cable", "Accessories › Cables", (6, 40), "cable", made="braided nylon / copper wire", is_="gold plated; high speed; ultra hd ready", options="length=cable, pack=packs"),
            Row("tv mount, television wall bracket", "Accessories › Mounts", (18, 120), "mount", made="steel / aluminum", is_="full motion / fixed; space saving", has="cable management; *bubble level", options="size=screen"),
            Row("projector, mini projector", "Projectors", (59, 520), "projector", is_="wireless; quiet; portable; high definition", has="built in speakers; *hdmi port; *remote control", options="color=device"),
        ),
    ),
    *family(
        "electronics",
        "Electronics › Wearables & Gaming",
        is_="lightweight; long lasting; gift ready",
        uses="men, women, kids, gaming",
        rows=(
            Row("smart watch, fitness tracker watch", "Smart Watches", (29, 340), "watch", is_="waterproof; easy to use; rechargeable", has="*heart rate monitor; sleep tracking; *gps receiver; *touch screen", options="color=device, size=band", query="smart watches"),
            Row("watch band, watch strap", "Watch Bands", (7, 60), "watch", made="silicone / stainless steel / genuine leather / woven nylon", is_="quick release; sweatproof; adjustable", options="color=device, size=band"),
            Row("gaming controller, game pad", "Controllers", (18, 120), "controller", is_="ergonomic; plug and play; wireless; rechargeable", has="vibration feedback; *turbo button; RGB lighting", options="color=device"),
        ),
    ),
)
