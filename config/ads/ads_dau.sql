WITH days AS (
  SELECT
    account_id,
    max(ds = '{{ ds }}') AS today,
    max(ds = date_sub('{{ ds }}', 1)) AS yesterday,
    max(ds = '{{ ds }}' AND is_new) AS is_new,
    max(ds = '{{ ds }}' AND orders > 0) AS pays
  FROM dw.dw_user_day
  WHERE ds BETWEEN date_sub('{{ ds }}', 6) AND '{{ ds }}'
  GROUP BY account_id
)
SELECT
  '{{ ds }}' AS day,
  count_if(today) AS dau,
  count_if(is_new) AS new_accounts,
  count_if(today AND yesterday) AS returned,
  count(*) AS wau,
  count_if(pays) AS payers
FROM days
