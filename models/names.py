"""Names of persons in the form in which they are compared: the same name however a department typed it.

Belongs here: what makes two writings one name (width, blanks, middle dots, compatibility and traditional forms).
Does not belong here: changing a name that is kept (names are stored as delivered), masking (``masking``), whether
two persons are one (``ingestion``).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import polars as pl

# Blanks, dots between the parts of a transcribed name, marks without width and selectors of a glyph's variant.
_DROPPED = (
    r"[\s\u0000-\u001f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0'`\u2018\u2019"
    r".\u00b7\u0387\u2022\u2024\u2027\u2219\u22c5\u25cf\u25e6\u2e30\u2e31\u2e33\u30fb\u3002\uff65]"
    r"|[\U000e0100-\U000e01ef]"
)
_DROPPED_PATTERN = re.compile(_DROPPED)

# Traditional and simplified forms that stand for one another and nothing else. A simplified form that was a
# character of its own before (后 余 于 云 叶 谷 范 沈 姜 郁 岳 涂 游 丰 曲 朴 肖 ...) is left out: folding
# it would make two surnames one.
_TRADITIONAL = (
    "張张 陳陈 劉刘 趙赵 黃黄 吳吴 呉吴 孫孙 馬马 楊杨 許许 鄧邓 馮冯 韓韩 蕭萧 鄭郑 謝谢 羅罗 蔣蒋 呂吕 盧卢 "
    "賈贾 陸陆 賴赖 錢钱 湯汤 鄒邹 龍龙 萬万 賀贺 嚴严 龔龚 鍾钟 譚谭 顧顾 龐庞 藍蓝 歐欧 陽阳 齊齐 聶聂 駱骆 "
    "關关 莊庄 婁娄 畢毕 紀纪 項项 魯鲁 時时 閔闵 單单 費费 連连 習习 衛卫 蕩荡 魚鱼 溫温 寧宁 竇窦 鞏巩 閻阎 "
    "華华 國国 強强 偉伟 軍军 東东 麗丽 紅红 蘭兰 鳳凤 鵬鹏 飛飞 輝辉 曉晓 艷艳 豔艳 瑩莹 瑋玮 穎颖 潔洁 靜静 "
    "嬌娇 蓮莲 貞贞 貴贵 財财 寶宝 銀银 鋼钢 鐵铁 錦锦 鎮镇 銳锐 維维 緒绪 紹绍 綱纲 縣县 績绩 繼继 續续 聖圣 "
    "聰聪 職职 興兴 舉举 義义 藝艺 蔭荫 蘊蕴 虛虚 見见 規规 親亲 覺觉 觀观 詩诗 誠诚 語语 諾诺 謙谦 譽誉 議议 "
    "護护 賢贤 質质 賓宾 贊赞 軒轩 輪轮 達达 遠远 運运 邁迈 選选 鄉乡 鄺邝 鄔邬 銘铭 銓铨 鋒锋 鎖锁 鏡镜 長长 "
    "門门 開开 間间 闊阔 陣阵 陰阴 際际 隊队 隨随 雙双 雛雏 雞鸡 離离 難难 電电 霧雾 靈灵 韋韦 響响 頂顶 順顺 "
    "領领 頤颐 顏颜 顔颜 願愿 風风 飄飘 養养 馳驰 駿骏 騰腾 驍骁 驕骄 鮮鲜 鴻鸿 鶴鹤 鷹鹰 鶯莺 麥麦 黨党 點点 "
    "齡龄 來来 倫伦 側侧 偵侦 傑杰 傳传 債债 傷伤 億亿 儀仪 優优 儉俭 儲储 兒儿 內内 兩两 剛刚 創创 勁劲 動动 "
    "勝胜 勞劳 勛勋 勳勋 勵励 勻匀 區区 協协 卻却 參参 員员 問问 啟启 啓启 喬乔 喚唤 嘯啸 嘆叹 園园 圓圆 圖图 "
    "團团 執执 堅坚 報报 場场 壇坛 壯壮 壽寿 夢梦 奮奋 奪夺 媧娲 嫻娴 嬋婵 學学 孿孪 實实 寬宽 審审 寫写 將将 "
    "專专 尋寻 對对 導导 屆届 層层 嶺岭 嵐岚 巒峦 帥帅 師师 幀帧 幫帮 廣广 廳厅 彈弹 彥彦 從从 恆恒 悅悦 慶庆 "
    "憲宪 憶忆 懷怀 戀恋 戰战 戶户 戸户 揚扬 換换 擁拥 擇择 據据 擔担 攝摄 敵敌 數数 晉晋 暉晖 暢畅 曄晔 會会 "
    "書书 條条 梟枭 棟栋 榮荣 構构 槍枪 樂乐 樓楼 樣样 樹树 橋桥 機机 檢检 權权 歡欢 歲岁 歷历 歸归 殘残 氣气 "
    "淚泪 淨净 淵渊 淺浅 渾浑 湧涌 滄沧 滿满 漢汉 漣涟 潤润 澤泽 濟济 濤涛 瀾澜 瀟潇 灣湾 為为 爲为 無无 煒炜 "
    "煥焕 煙烟 熱热 燁烨 燈灯 營营 燦灿 爭争 爾尔 獎奖 獨独 獻献 現现 環环 琺珐 瓊琼 產产 畫画 異异 當当 疊叠 "
    "盡尽 監监 盤盘 矯矫 碩硕 確确 禎祯 禮礼 穩稳 積积 穌稣 窩窝 競竞 筆笔 節节 築筑 簡简 籌筹 紋纹 純纯 紗纱 "
    "細细 終终 組组 結结 給给 統统 絲丝 經经 綠绿 網网 緣缘 練练 縱纵 總总 織织 羨羡 聞闻 聯联 聲声 腦脑 臨临 "
    "與与 蒼苍 蓋盖 薦荐 薩萨 藥药 蘋苹 號号 蠶蚕 補补 裝装 "
)
# Radicals that stand where characters should: what copying out of a PDF makes of them.
_RADICALS = (
    "\u2e81厂 \u2e84乙 \u2e88刀 \u2ec1虎 \u2ec4西 \u2ec5见 \u2ec8讠 \u2ec9贝 \u2ecb车 \u2ed3长 \u2ed4门 "
    "\u2ed8青 \u2ed9韦 \u2eda页 \u2edb风 \u2edc飞 \u2edd食 \u2ee2马 \u2ee4鬼 \u2ee5鱼 \u2ee6鸟 \u2ee8麦 "
    "\u2ee9黄 \u2eec齐 \u2eef龙 \u2ef0龙 \u2ef3龟 "
)
# Private-use code points that GB 18030-2000 gave to characters which Unicode has taken in since.
_GB18030_PRIVATE = {
    **dict(zip(range(0xE78D, 0xE797), range(0xFE10, 0xFE1A), strict=True)),
    **{0xE7C7: 0x1E3F, 0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE831: 0x215D7},
    **{0xE83B: 0x2298F, 0xE855: 0x241FE, 0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6},
    **{0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE864: 0x9FBB},
}
PRIVATE_USE = r"[\ue000-\uf8ff]|[\U000f0000-\U000ffffd]|[\U00100000-\U0010fffd]"
"""Characters that mean something only to who put them there; as a pattern for Python and Polars."""


def comparable_name(name: str) -> str:
    """The form of a name in which it is compared with another; empty where nothing of it is left.

    Full-width and compatibility forms (NFKC), blanks, middle dots, letter case, marks without width and
    traditional forms make no difference; everything else does. Never shown, never stored in place of the name.
    """
    text = unicodedata.normalize("NFKC", name.translate(_before()))
    # What was dropped may have stood between a letter and its accent.
    return unicodedata.normalize("NFKC", _DROPPED_PATTERN.sub("", text).lower()).translate(_after())


def comparable_names(name: pl.Expr) -> pl.Expr:
    """``comparable_name`` over a column; null stays null."""
    before = {chr(old): new for old, new in _before().items()}
    after = {chr(old): new for old, new in _after().items()}
    text = name.str.replace_many(list(before), list(before.values())).str.normalize("NFKC")
    text = text.str.replace_all(_DROPPED, "").str.to_lowercase().str.normalize("NFKC")
    return text.str.replace_many(list(after), list(after.values()))


@cache
def _before() -> dict[int, str]:
    """Replaced before NFKC, which would not know them."""
    pairs = {ord(pair[0]): pair[1] for pair in _RADICALS.split()}
    return {**pairs, **{old: chr(new) for old, new in _GB18030_PRIVATE.items()}}


@cache
def _after() -> dict[int, str]:
    return {ord(pair[0]): pair[1] for pair in _TRADITIONAL.split()}
