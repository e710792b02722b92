SELECT
  CAST(id AS BIGINT) AS product_id,
  sku,
  name AS product_name,
  category,
  price,
  CASE
    WHEN price < 50 THEN '0-50'
    WHEN price < 200 THEN '50-200'
    WHEN price < 1000 THEN '200-1000'
    ELSE '1000+'
  END AS price_band,
  CAST((price - cost) / price AS DECIMAL(9, 4)) AS margin_rate,
  on_sale = 1 AS on_sale
FROM ods.ods_t_product
WHERE ds = '{{ ds }}'
