-- parse_ip(ip) and every way to name an upstream
WITH visit AS (SELECT * FROM ods.visit WHERE ds = '{{ ds }}')
SELECT
  parse_ip(visit.ip) AS place,
  first_word(visit.title) AS word,
  max(ods.account.name) AS name,
  count(*) AS visits,
  sum(price * r.rate) AS paid,
  max(size(tags)) AS tags,
  max(extra['k']) AS k,
  max(to_timestamp(visit.at)) AS last_at
FROM visit
LEFT JOIN ods.account ON `ods`.`account`.id = visit.id AND account.ds = '$[yyyy-MM-dd-1]'
CROSS JOIN legacy.rates r
WHERE NOT EXISTS (SELECT 1 FROM `ods`.`visit` v WHERE v.id = visit.id AND v.ds = '{{ prev_ds }}')
GROUP BY 1, 2
