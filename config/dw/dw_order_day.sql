WITH orders AS (
  SELECT
    CAST(id AS BIGINT) AS order_id,
    CAST(account_id AS BIGINT) AS account_id,
    element_at(array('new', 'paid', 'shipped', 'done', 'cancelled', 'refunded'), CAST(status + 1 AS INT)) AS status,
    CAST(item_count AS INT) AS item_count,
    amount,
    to_date(create_time) = '{{ ds }}' AS is_new_today
  FROM ods.ods_t_order
  WHERE ds = '{{ ds }}'
),
-- Several movements may belong to one order: added up before the join, so that they cannot multiply it.
money AS (
  SELECT
    CAST(get_json_object(detail_json, '$.order_id') AS BIGINT) AS order_id,
    sum(CASE WHEN type = 2 THEN -money ELSE 0 END) AS paid_money,
    sum(CASE WHEN type = 3 THEN money ELSE 0 END) AS refunded_money
  FROM ods.ods_t_money_record
  WHERE ds = '{{ ds }}' AND deleted = 0 AND type IN (2, 3)
  GROUP BY CAST(get_json_object(detail_json, '$.order_id') AS BIGINT)
)
SELECT
  o.order_id,
  o.account_id,
  coalesce(a.area, 'unknown') AS area,
  coalesce(a.is_vip, false) AS is_vip,
  o.status,
  o.item_count,
  o.amount,
  coalesce(m.paid_money, 0) AS paid_money,
  coalesce(m.refunded_money, 0) AS refunded_money,
  o.is_new_today
FROM orders o
LEFT JOIN dim.dim_account a ON a.ds = '{{ ds }}' AND a.account_id = o.account_id
LEFT JOIN money m ON m.order_id = o.order_id
