WITH compared AS (
  SELECT
    t.account_id,
    CASE
      WHEN y.account_id IS NULL THEN 'new'
      WHEN y.is_open AND NOT t.is_open THEN 'closed'
      WHEN t.is_open AND NOT y.is_open THEN 'reopened'
      WHEN t.is_vip AND NOT y.is_vip THEN 'vip'
      WHEN t.level > y.level THEN 'promoted'
      WHEN t.level < y.level THEN 'demoted'
    END AS change,
    t.level,
    y.level AS level_before
  FROM dim.dim_account t
  LEFT JOIN dim.dim_account y
    ON y.ds = date_sub('{{ ds }}', 1) AND y.account_id = t.account_id
  WHERE t.ds = '{{ ds }}'
)
SELECT account_id, change, level, level_before
FROM compared
WHERE change IS NOT NULL
