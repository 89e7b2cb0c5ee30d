"""Eight subtitles in each of 23 languages, and the encodings that are used for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines of subtitles in a language (an ISO 639-1 code), and Python's names of encodings that hold them."""

    language: str
    encodings: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    def srt(self) -> str:
        """The lines as SubRip, line n from n to n + 0.9 seconds."""
        return srt(self.lines)


def srt(lines: tuple[str, ...]) -> str:
    """Lines as SubRip, line n (from 1) from n to n + 0.9 seconds."""
    return "".join(f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{line}\n\n" for n, line in enumerate(lines, start=1))


def encoded() -> list[tuple[Sample, str]]:
    """Each sample with each of its encodings."""
    return [(sample, encoding) for sample in SAMPLES for encoding in sample.encodings]


SAMPLES = (
    Sample(
        "ru",
        ("cp1251", "koi8-r", "iso8859-5", "cp866"),
        (
            "Сирена воет в ночи.",
            "Ты слышишь? Это поезд.",
            "Нам надо уходить отсюда.",
            "Он сказал, что вернётся завтра утром.",
            "Я никогда этого не забуду.",
            "Почему ты мне не сказала?",
            "Спасибо, доктор. До свидания!",
            "Откройте дверь, полиция!",
        ),
    ),
    Sample(
        "uk",
        ("cp1251", "koi8-u"),
        (
            "Сирена виє вночі.",
            "Ти чуєш? Це потяг.",
            "Нам треба йти звідси.",
            "Він сказав, що повернеться завтра вранці.",
            "Я ніколи цього не забуду.",
            "Чому ти мені не сказала?",
            "Дякую, лікарю. До побачення!",
            "Відчиніть двері, поліція! Її їжак з'їв ґанок.",
        ),
    ),
    Sample(
        "bg",
        ("cp1251",),
        (
            "Сирената вие в нощта.",
            "Чуваш ли? Това е влакът.",
            "Трябва да се махаме оттук.",
            "Той каза, че ще се върне утре сутринта.",
            "Никога няма да забравя това.",
            "Защо не ми каза?",
            "Благодаря, докторе. Довиждане!",
        ),
    ),
    Sample(
        "pl",
        ("cp1250", "iso8859-2"),
        (
            "Syrena wyje w nocy.",
            "Słyszysz? To pociąg.",
            "Musimy stąd iść.",
            "Powiedział, że wróci jutro rano.",
            "Nigdy tego nie zapomnę.",
            "Dlaczego mi nie powiedziałaś?",
            "Dziękuję, doktorze. Do widzenia!",
            "Otwórzcie drzwi, policja! Źle się czuję. Śpiąca żółta gęś.",
        ),
    ),
    Sample(
        "cs",
        ("cp1250", "iso8859-2"),
        (
            "Siréna houká v noci.",
            "Slyšíš? To je vlak.",
            "Musíme odtud odejít.",
            "Řekl, že se vrátí zítra ráno.",
            "Nikdy na to nezapomenu.",
            "Proč jsi mi to neřekla?",
            "Děkuji, pane doktore. Na shledanou!",
            "Otevřete dveře, policie! Žluťoučký kůň.",
        ),
    ),
    Sample(
        "hu",
        ("cp1250", "iso8859-2"),
        (
            "A sziréna üvölt az éjszakában.",
            "Hallod? Ez a vonat.",
            "El kell mennünk innen.",
            "Azt mondta, holnap reggel visszajön.",
            "Soha nem fogom elfelejteni.",
            "Miért nem mondtad el nekem?",
            "Köszönöm, doktor úr. Viszontlátásra!",
            "Nyissák ki az ajtót, rendőrség! Hűvös őszi.",
        ),
    ),
    Sample(
        "hr",
        ("cp1250", "iso8859-2"),
        (
            "Sirena zavija u noći.",
            "Čuješ li? To je vlak.",
            "Moramo otići odavde.",
            "Rekao je da će se vratiti sutra ujutro.",
            "Nikada to neću zaboraviti.",
            "Zašto mi nisi rekla?",
            "Hvala, doktore. Doviđenja!",
            "Otvorite vrata, policija! Žao mi je.",
        ),
    ),
    Sample(
        "ro",
        ("cp1250", "iso8859-2"),
        (
            "Sirena urlă în noapte.",
            "Auzi? Este trenul.",
            "Trebuie să plecăm de aici.",
            "A spus că se va întoarce mâine dimineaţă.",
            "Nu voi uita niciodată asta.",
            "De ce nu mi-ai spus?",
            "Mulţumesc, domnule doctor. La revedere!",
            "Deschideţi uşa, poliţia!",
        ),
    ),
    Sample(
        "de",
        ("cp1252",),
        (
            "Die Sirene heult in der Nacht.",
            "Hörst du? Das ist der Zug.",
            "Wir müssen hier weg.",
            "Er sagte, dass er morgen früh zurückkommt.",
            "Das werde ich nie vergessen.",
            "Warum hast du es mir nicht gesagt?",
            "Danke, Herr Doktor. Auf Wiedersehen!",
            "Öffnen Sie die Tür, Polizei! Größe.",
        ),
    ),
    Sample(
        "fr",
        ("cp1252", "mac-roman"),
        (
            "La sirène hurle dans la nuit.",
            "Tu entends ? C'est le train.",
            "Nous devons partir d'ici.",
            "Il a dit qu'il reviendrait demain matin.",
            "Je n'oublierai jamais ça.",
            "Pourquoi ne me l'as-tu pas dit ?",
            "Merci, docteur. Au revoir ! Où êtes-vous, mon cœur ?",
            "Ouvrez la porte, police ! Déjà vu à l'école.",
        ),
    ),
    Sample(
        "es",
        ("cp1252",),
        (
            "La sirena aúlla en la noche.",
            "¿Oyes? Es el tren.",
            "Tenemos que irnos de aquí.",
            "Dijo que volvería mañana por la mañana.",
            "Nunca olvidaré esto.",
            "¿Por qué no me lo dijiste?",
            "Gracias, doctor. ¡Adiós!",
            "¡Abran la puerta, policía!",
        ),
    ),
    Sample(
        "sv",
        ("cp1252",),
        (
            "Sirenen tjuter i natten.",
            "Hör du? Det är tåget.",
            "Vi måste härifrån.",
            "Han sa att han kommer tillbaka i morgon bitti.",
            "Jag kommer aldrig att glömma det.",
            "Varför sa du det inte?",
            "Tack, doktorn. Hej då!",
            "Öppna dörren, polisen!",
        ),
    ),
    Sample(
        "en",
        ("cp1252",),
        (
            "The siren howls in the night.",
            "Do you hear? It’s the train.",
            "We’ve got to leave.",
            "He said he’d be back tomorrow morning – at ten.",
            "I’ll never forget that.",
            "“Why didn’t you tell me?”",
            "Thank you, doctor. Goodbye!",
            "Open the door, police!",
        ),
    ),
    Sample(
        "el",
        ("cp1253", "iso8859-7"),
        (
            "Η σειρήνα ουρλιάζει τη νύχτα.",
            "Ακούς; Είναι το τρένο.",
            "Πρέπει να φύγουμε από εδώ.",
            "Είπε ότι θα γυρίσει αύριο το πρωί.",
            "Δεν θα το ξεχάσω ποτέ.",
            "Γιατί δεν μου το είπες;",
            "Ευχαριστώ, γιατρέ. Αντίο!",
            "Άνοιξε την πόρτα, αστυνομία!",
        ),
    ),
    Sample(
        "tr",
        ("cp1254",),
        (
            "Siren gecede uluyor.",
            "Duyuyor musun? Bu tren.",
            "Buradan gitmemiz gerekiyor.",
            "Yarın sabah döneceğini söyledi.",
            "Bunu asla unutmayacağım.",
            "Neden bana söylemedin?",
            "Teşekkürler doktor. Hoşça kalın!",
            "Kapıyı açın, polis! Şimdi ığdır.",
        ),
    ),
    Sample(
        "he",
        ("cp1255", "iso8859-8"),
        (
            "הסירנה מייללת בלילה.",
            "אתה שומע? זאת הרכבת.",
            "אנחנו צריכים ללכת מכאן.",
            "הוא אמר שהוא יחזור מחר בבוקר.",
            "לעולם לא אשכח את זה.",
            "למה לא אמרת לי?",
            "תודה, דוקטור. להתראות!",
            "פתחו את הדלת, משטרה!",
        ),
    ),
    Sample(
        "ar",
        ("cp1256", "iso8859-6"),
        (
            "صفارة الإنذار تعوي في الليل.",
            "هل تسمع؟ إنه القطار.",
            "يجب أن نرحل من هنا.",
            "قال إنه سيعود صباح الغد.",
            "لن أنسى هذا أبدا.",
            "لماذا لم تخبريني؟",
            "شكرا يا دكتور. وداعا!",
            "افتحوا الباب، الشرطة!",
        ),
    ),
    Sample(
        "lt",
        ("cp1257",),
        (
            "Sirena kaukia naktį.",
            "Ar girdi? Tai traukinys.",
            "Turime iš čia eiti.",
            "Jis sakė, kad grįš rytoj rytą.",
            "Niekada to nepamiršiu.",
            "Kodėl man nesakei?",
            "Ačiū, daktare. Viso gero!",
            "Atidarykite duris, policija! Žąsų šėtonė.",
        ),
    ),
    Sample(
        "ja",
        ("shift_jis", "cp932", "euc_jp", "iso2022_jp"),
        (
            "サイレンが夜に鳴り響く。",
            "聞こえる？あれは電車だ。",
            "ここから出なければならない。",
            "彼は明日の朝戻ると言った。",
            "絶対に忘れない。",
            "どうして言ってくれなかったの？",
            "ありがとう、先生。さようなら！",
            "ドアを開けろ、警察だ！",
        ),
    ),
    Sample(
        "ko",
        ("euc_kr", "cp949"),
        (
            "사이렌이 밤에 울부짖는다.",
            "들려? 저건 기차야.",
            "우리는 여기서 나가야 해.",
            "그는 내일 아침에 돌아온다고 했어.",
            "절대 잊지 않을 거야.",
            "왜 나한테 말하지 않았어?",
            "고마워요, 선생님. 안녕히 가세요!",
            "문 열어, 경찰이다!",
        ),
    ),
    Sample(
        "zh",
        ("gb18030", "gbk"),
        (
            "警报器在夜里长鸣。",
            "你听见了吗？那是火车。",
            "我们必须离开这里。",
            "他说他明天早上回来。",
            "我永远不会忘记这件事。",
            "你为什么不告诉我？",
            "谢谢你，医生。再见！",
            "开门，警察！",
        ),
    ),
    Sample(
        "zh",
        ("big5", "cp950"),
        (
            "警報器在夜裡長鳴。",
            "你聽見了嗎？那是火車。",
            "我們必須離開這裡。",
            "他說他明天早上回來。",
            "我永遠不會忘記這件事。",
            "你為什麼不告訴我？",
            "謝謝你，醫生。再見！",
            "開門，警察！",
        ),
    ),
    Sample(
        "th",
        ("cp874",),
        (
            "เสียงไซเรนดังในตอนกลางคืน",
            "คุณได้ยินไหม นั่นคือรถไฟ",
            "เราต้องออกไปจากที่นี่",
            "เขาบอกว่าจะกลับมาพรุ่งนี้เช้า",
            "ฉันจะไม่มีวันลืม",
            "ทำไมคุณไม่บอกฉัน",
            "ขอบคุณค่ะ คุณหมอ ลาก่อน",
        ),
    ),
)
