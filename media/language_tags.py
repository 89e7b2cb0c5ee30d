"""Languages in file names: ISO 639 codes and names, as in `film.en.srt`, `film.eng.srt`, `film.Français.srt`."""

from __future__ import annotations

import re
import unicodedata

_CODES = """
aa:aar ab:abk af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bm:bam bn:ben
bo:bod,tib br:bre bs:bos ca:cat ce:che co:cos cs:ces,cze cv:chv cy:cym,wel da:dan de:deu,ger dv:div dz:dzo ee:ewe
el:ell,gre en:eng eo:epo es:spa et:est eu:eus,baq fa:fas,per ff:ful fi:fin fj:fij fo:fao fr:fra,fre fy:fry ga:gle
gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye,arm ia:ina id:ind ig:ibo is:isl,ice
it:ita iu:iku ja:jpn jv:jav ka:kat,geo kk:kaz kl:kal km:khm kn:kan ko:kor ku:kur kw:cor ky:kir la:lat lb:ltz lg:lug
ln:lin lo:lao lt:lit lv:lav mg:mlg mi:mri,mao mk:mkd,mac ml:mal mn:mon mr:mar ms:msa,may mt:mlt my:mya,bur nb:nob ne:nep
nl:nld,dut nn:nno no:nor ny:nya oc:oci or:ori pa:pan pl:pol ps:pus pt:por,pob qu:que rm:roh ro:ron,rum ru:rus rw:kin
sa:san sc:srd sd:snd se:sme si:sin sk:slk,slo sl:slv sm:smo sn:sna so:som sq:sqi,alb sr:srp st:sot su:sun sv:swe sw:swa
ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl,fil tn:tsn to:ton tr:tur tt:tat ug:uig uk:ukr ur:urd uz:uzb vi:vie
wo:wol xh:xho yi:yid yo:yor yue:yue zh:zho,chi,chs,cht,cmn zu:zul
"""
"""ISO 639-1 and 639-2 (both kinds), with what subtitle sites use beside: `pob` for Brazil, `chs` and `cht`."""

_NAMES = """
ar:arabic,العربية bg:bulgarian,български bn:bengali,বাংলা bs:bosnian,bosanski ca:catalan,català cs:czech,čeština,česky
da:danish,dansk de:german,deutsch el:greek,ελληνικά en:english es:spanish,español,castellano,latino et:estonian,eesti
eu:basque,euskara fa:persian,farsi,فارسی fi:finnish,suomi fr:french,français gl:galician,galego he:hebrew,עברית
hi:hindi,हिन्दी hr:croatian,hrvatski hu:hungarian,magyar hy:armenian id:indonesian is:icelandic,íslenska
it:italian,italiano ja:japanese,日本語 ka:georgian kk:kazakh ko:korean,한국어 lt:lithuanian,lietuvių lv:latvian,latviešu
mk:macedonian,македонски ml:malayalam mn:mongolian ms:malay no:norwegian,norsk nb:bokmål nl:dutch,nederlands
pl:polish,polski pt:portuguese,português,brazilian ro:romanian,română ru:russian,русский sk:slovak,slovenčina
sl:slovenian,slovenščina sq:albanian,shqip sr:serbian,srpski,српски sv:swedish,svenska ta:tamil te:telugu th:thai,ไทย
tl:filipino,tagalog tr:turkish,türkçe uk:ukrainian,українська ur:urdu vi:vietnamese,việt zh:chinese,mandarin,中文
zh:简体,繁體
"""
"""Names of languages in English and in themselves, as subtitle sites and rippers write them."""

_FLAG_WORDS = (
    "sdh cc hi forced full default foreign commentary comments signs songs lyrics auto asr orig original dub dubbed "
    "sub subs subtitle subtitles caption captions closed main normal hearing impaired captioned track"
)
_FLAGS = frozenset(_FLAG_WORDS.split(" "))
"""Labels that say something other than the language: `film.sdh.en.srt`, `film.en.forced.srt`."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,3}")


def _table(text: str) -> dict[str, str]:
    """The ISO 639-1 code before the colon, of each word after it."""
    entries = (entry.partition(":") for entry in text.split())
    return {unicodedata.normalize("NFC", word): code for code, _, words in entries for word in words.split(",")}


_CODE_OF = _table(_CODES) | {code: code for code in _table(_CODES).values()}
_CODE_OF_NAME = _table(_NAMES)


def language_of(labels: list[str]) -> str:
    """The language that labels of a file name state: a code as written (`en`, `eng`, `pt-BR`), a name as its ISO 639-1
    code; empty if they state none. `hi` beside another language means hearing impaired."""
    found = [word for label in labels for word in _words(label) if _states_language(word, label)]
    sure = [word for word in found if word.lower() not in _FLAGS]
    word = next(iter(sure or found), "")
    return _CODE_OF_NAME.get(word.lower(), word)


def primary_language(tag: str) -> str:
    """ISO 639-1 code (if there is one) of a language tag: `pt` of `pt-BR` and of `por`; empty if unknown."""
    return _CODE_OF.get(re.split("[-_]", tag.lower())[0], "")


def is_language(word: str) -> bool:
    """Whether it is a code or a name of a language."""
    lower = word.lower()
    code, *subtags = re.split("[-_]", lower)
    is_code = _LANGUAGE.fullmatch(lower) is not None and code in _CODE_OF and _FLAGS.isdisjoint(subtags)
    return is_code or lower in _CODE_OF_NAME


def is_label(text: str) -> bool:
    """Whether it consists of languages and flags (`SDH`, `forced`), with or without numbers."""
    words = [word for word in _words(text) if not word.isdecimal()]
    return bool(words) and all(is_language(word) or word.lower() in _FLAGS for word in words)


def _states_language(word: str, label: str) -> bool:
    """Whether it is a name of a language, or a code in a label of nothing but languages, flags and numbers."""
    return word.lower() in _CODE_OF_NAME or (is_language(word) and is_label(label))


def _words(label: str) -> list[str]:
    """A label as written if it is a language (`pt-BR`), else its words."""
    label = unicodedata.normalize("NFC", label.strip(" .-_()[]{}"))
    return [label] if is_language(label) else [word for word in re.split(r"[\s.,_()\[\]{}+&-]+", label) if word]
