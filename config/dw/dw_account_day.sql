WITH moved AS (
  SELECT
    CAST(account_id AS BIGINT) AS account_id,
    sum(CASE WHEN money > 0 THEN money ELSE 0 END) AS money_in,
    sum(CASE WHEN money < 0 THEN -money ELSE 0 END) AS money_out,
    sum(money) AS balance_change,
    count(*) AS records
  FROM ods.ods_t_money_record
  WHERE ds = '{{ ds }}' AND deleted = 0
  GROUP BY account_id
)
SELECT
  m.account_id,
  coalesce(a.area, 'unknown') AS area,
  m.money_in,
  m.money_out,
  m.balance_change,
  m.records
FROM moved m
LEFT JOIN dim.dim_account a ON a.ds = '{{ ds }}' AND a.account_id = m.account_id
