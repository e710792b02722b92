"""The tables of the demo business as its own developers made them: no table is shaped for a warehouse.

Surprises on purpose: zero dates where "never" is meant, flags as TINYINT(1), unsigned keys, money as
DECIMAL, enums and sets, JSON (LONGTEXT with a check in MariaDB), DATETIME beside TIMESTAMP, seconds
beside milliseconds. ``update_time`` is written by the application: no ON UPDATE clause moves it.
"""

MARKET = "market"
LOGISTICS = "hydra_production_flow"
FLOW_LOG = "t_package_flow_log"

MARKET_TABLES: dict[str, str] = {
    "t_region": """
        id INT UNSIGNED NOT NULL PRIMARY KEY,
        name VARCHAR(40) NOT NULL,
        population_ten_thousand INT UNSIGNED NOT NULL,
        ip4_block VARCHAR(20) NOT NULL,
        ip6_block VARCHAR(24) NOT NULL
    """,
    "t_account": """
        id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
        name VARCHAR(64) NOT NULL,
        nickname VARCHAR(64) NULL,
        phone CHAR(11) NULL,
        gender ENUM('unknown','female','male') NOT NULL DEFAULT 'unknown',
        birthday DATE NULL DEFAULT '0000-00-00',
        region_id INT UNSIGNED NULL,
        register_ip VARCHAR(45) NOT NULL,
        is_vip TINYINT(1) NOT NULL DEFAULT 0,
        is_active TINYINT(1) NULL,
        level TINYINT UNSIGNED NOT NULL DEFAULT 0,
        credit SMALLINT NOT NULL DEFAULT 0,
        balance DECIMAL(18,4) NOT NULL DEFAULT 0,
        interests SET('digital','home','food','clothes','baby','books') NOT NULL DEFAULT '',
        profile JSON NULL,
        create_time DATETIME NOT NULL,
        update_time DATETIME(3) NOT NULL,
        closed_at DATETIME NULL DEFAULT '0000-00-00 00:00:00',
        KEY idx_update_time (update_time)
    """,
    "t_product": """
        id INT UNSIGNED NOT NULL PRIMARY KEY,
        sku VARCHAR(32) NOT NULL,
        name VARCHAR(120) NOT NULL,
        category VARCHAR(40) NOT NULL,
        price DECIMAL(10,2) UNSIGNED NOT NULL,
        cost DECIMAL(10,4) NULL,
        weight_grams MEDIUMINT UNSIGNED NOT NULL,
        on_sale TINYINT(1) NOT NULL DEFAULT 1,
        attributes JSON NULL,
        description TEXT NULL,
        create_time DATETIME NOT NULL,
        update_time DATETIME NOT NULL,
        UNIQUE KEY uk_sku (sku)
    """,
    "t_order": """
        id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
        order_no CHAR(20) NOT NULL,
        account_id BIGINT UNSIGNED NOT NULL,
        region_id INT UNSIGNED NULL,
        status TINYINT UNSIGNED NOT NULL COMMENT '0 new 1 paid 2 shipped 3 done 4 cancelled 5 refunded',
        item_count SMALLINT UNSIGNED NOT NULL,
        amount DECIMAL(12,2) NOT NULL,
        discount DECIMAL(12,2) NOT NULL DEFAULT 0,
        currency CHAR(3) NOT NULL DEFAULT 'CNY',
        is_gift TINYINT(1) NOT NULL DEFAULT 0,
        remark VARCHAR(200) NULL,
        paid_at TIMESTAMP NULL DEFAULT NULL,
        create_time DATETIME NOT NULL,
        update_time DATETIME(3) NOT NULL,
        KEY idx_account (account_id),
        KEY idx_update_time (update_time)
    """,
    "t_order_item": """
        id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
        order_id BIGINT UNSIGNED NOT NULL,
        product_id INT UNSIGNED NOT NULL,
        quantity SMALLINT UNSIGNED NOT NULL,
        price DECIMAL(10,2) UNSIGNED NOT NULL,
        create_time DATETIME NOT NULL,
        KEY idx_order (order_id),
        KEY idx_create_time (create_time)
    """,
    "t_money_record": """
        id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
        account_id BIGINT UNSIGNED NOT NULL,
        type TINYINT UNSIGNED NOT NULL COMMENT '1 recharge 2 payment 3 refund 4 reward 5 withdrawal',
        money DECIMAL(18,4) NOT NULL,
        reason VARCHAR(255) NULL,
        detail JSON NULL,
        create_time DATETIME NOT NULL,
        update_time DATETIME NOT NULL,
        deleted TINYINT(1) NOT NULL DEFAULT 0,
        KEY idx_account (account_id),
        KEY idx_update_time (update_time)
    """,
    "t_coupon_claim": """
        id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
        account_id BIGINT UNSIGNED NOT NULL,
        code CHAR(12) NOT NULL,
        face_value DECIMAL(8,2) NOT NULL,
        used TINYINT(1) NOT NULL DEFAULT 0,
        note VARCHAR(100) NULL,
        claimed_at DATETIME NOT NULL,
        update_time DATETIME NOT NULL,
        KEY idx_update_time (update_time)
    """,
    "t_page_view": """
        id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
        account_id BIGINT UNSIGNED NULL COMMENT 'NULL: a visitor who is not signed in',
        session_id CHAR(16) CHARACTER SET ascii NOT NULL,
        url VARCHAR(500) NOT NULL,
        referrer VARCHAR(500) NULL,
        product_id INT UNSIGNED NULL,
        device ENUM('ios','android','web','mini_program') NOT NULL,
        ip VARCHAR(45) NOT NULL,
        duration_ms INT UNSIGNED NULL,
        event_time DATETIME(3) NOT NULL,
        KEY idx_event_time (event_time)
    """,
}

FLOW_LOG_COLUMNS = """
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        package_no CHAR(18) NOT NULL,
        order_id BIGINT UNSIGNED NOT NULL,
        operation_type SMALLINT UNSIGNED NOT NULL
            COMMENT '10 made 20 picked 30 packed 40 shipped 50 moving 60 arrived 70 delivered 90 lost',
        station VARCHAR(80) NOT NULL,
        operator VARCHAR(64) NULL,
        weight_kg DECIMAL(10,3) NULL,
        is_exception TINYINT(1) NOT NULL DEFAULT 0,
        remark VARCHAR(255) NULL,
        create_time DATETIME NOT NULL,
        KEY idx_package (package_no),
        KEY idx_create_time (create_time)
"""


def create_table(name: str, columns: str) -> str:
    """Return the CREATE statement of a business table."""
    return f"CREATE TABLE {name} ({columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"
