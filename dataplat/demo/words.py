"""The words the demo business is made of: regions, people, goods, remarks.

Chosen to hurt: several scripts, emoji outside the basic plane, combining accents, right-to-left
text, quotes, backslashes, tabs, the word NULL, an empty string beside a real NULL.

Every region owns one private IPv4 block ``10.<code / 10000>.0.0/16`` and one IPv6 block
``fd00:<code>::/32``, so a place can be read from an address without naming anybody's network.
"""

REGIONS: tuple[tuple[int, str, int], ...] = (
    (110000, "北京市", 22),
    (120000, "天津市", 14),
    (130000, "河北省", 74),
    (140000, "山西省", 35),
    (150000, "内蒙古自治区", 24),
    (210000, "辽宁省", 42),
    (220000, "吉林省", 23),
    (230000, "黑龙江省", 31),
    (310000, "上海市", 25),
    (320000, "江苏省", 85),
    (330000, "浙江省", 66),
    (340000, "安徽省", 61),
    (350000, "福建省", 42),
    (360000, "江西省", 45),
    (370000, "山东省", 101),
    (410000, "河南省", 98),
    (420000, "湖北省", 58),
    (430000, "湖南省", 66),
    (440000, "广东省", 127),
    (450000, "广西壮族自治区", 50),
    (460000, "海南省", 10),
    (500000, "重庆市", 32),
    (510000, "四川省", 84),
    (520000, "贵州省", 39),
    (530000, "云南省", 47),
    (540000, "西藏自治区", 4),
    (610000, "陕西省", 40),
    (620000, "甘肃省", 25),
    (630000, "青海省", 6),
    (640000, "宁夏回族自治区", 7),
    (650000, "新疆维吾尔自治区", 26),
)

SURNAMES = (
    *"王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗",
    "欧阳",
    "司马",
    "O'Brien ",
    "Müller ",
    "Nuñez ",
)
GIVEN_NAMES = (
    *"伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚",
    "桂英",
    "建国",
    "Zoë",
    "José",
    "さくら",
    "Ольга",
    "مريم",
    "𠮷野",
)
NICKNAMES: tuple[str | None, ...] = (
    None,
    "",
    "🐼",
    "小可爱🎉",
    "NULL",
    "e\u0301toile",
    "back\\slash",
    'say "hi"',
    "  two spaces  ",
    "夜空中最亮的星",
)
CATEGORIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("数码", ("手机", "耳机", "充电器", "键盘", "显示器")),
    ("家居", ("台灯", "沙发", "枕头", "水杯", "收纳盒")),
    ("食品", ("茶叶", "坚果", "咖啡", "辣椒酱", "月饼")),
    ("服饰", ("外套", "围巾", "运动鞋", "帽子", "毛衣")),
    ("母婴", ("奶粉", "纸尿裤", "玩具", "童车")),
    ("图书", ("小说", "词典", "绘本", "乐谱")),
)
BRANDS = ("青山", "Café Noir", "北极星", "Ångström", "老字号®", "小橘子🍊", "Плюс", "海之声")
REASONS: tuple[str | None, ...] = (
    None,
    None,
    None,
    "",
    "充值",
    "退款：商品有瑕疵",
    "新年红包🧧",
    "friend's gift",
    'coupon "NEW YEAR"',
    "tab\tinside",
    "two\nlines",
    "C:\\temp",
    "NULL",
    "предоплата",
)
ORDER_REMARKS: tuple[str | None, ...] = (
    None,
    None,
    None,
    None,
    "",
    "请放门口，谢谢🙏",
    "周末送货",
    "don't ring the bell",
    "发票抬头：青山科技",
)
STATIONS = ("华北一仓", "华东二仓", "华南中心仓", "西南分拨", "中原转运", "西北分拨")
OPERATORS: tuple[str | None, ...] = (None, "扫描枪-01", "李师傅", "張先生", "robot#7", "Renée")
DEVICES = ("ios", "android", "web", "mini_program")
REFERRERS: tuple[str | None, ...] = (
    None,
    None,
    "https://search.example/?q=年货",
    "https://social.example/feed",
    "https://news.example/a?b=1&c=2",
)
SEARCHES = ("年货", "手机", "coffee", "礼物🎁", "100%25 cotton", "童车")
