-- What became of the mail, by day and dimension value?
-- Mail sent in the last 7 days (UTC), by message and recipient. An automatic reply is no bounce. A recipient whom SES
-- does not try is suppressed and no bounce, but one on SES's own list is a hard bounce, as SES counts it.
-- Bounce rates are shares of what was sent, the complaint rate of what was delivered.
-- A complaint counts once, though it may name several recipients, and so do those about one recipient of a message.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '7' DAY, {days})),
{recipient_events},
outcome AS (
  SELECT
    message_id,
    recipient,
    date(min(sent_at)) AS day,
    coalesce(min(dimension_value), 'unknown') AS dimension_value,
    max(IF(kind = 'Send', 1, 0)) AS sent,
    max(IF(kind = 'Delivery', 1, 0)) AS delivered,
    max(IF(kind = 'Hard bounce', 1, 0)) AS hard_bounced,
    max(IF(kind = 'Soft bounce', 1, 0)) AS soft_bounced,
    max(IF(kind = 'Suppressed', 1, 0)) AS suppressed,
    min(complaint_id) FILTER (WHERE kind IN ('Complaint', 'Possible complaint')) AS complaint_id
  FROM recipient_events
  WHERE sent_at >= current_date - INTERVAL '7' DAY
    AND kind IN ('Send', 'Delivery', 'Hard bounce', 'Soft bounce', 'Suppressed',
      'Complaint', 'Possible complaint')
  GROUP BY message_id, recipient
)
SELECT
  day,
  dimension_value,
  sum(sent) AS sent,
  sum(delivered) AS delivered,
  sum(hard_bounced) AS hard_bounces,
  sum(soft_bounced) AS soft_bounces,
  sum(suppressed) AS suppressed,
  count(DISTINCT complaint_id) AS complaints,
  -- 1e2 and not 100.0: Athena would divide that to one decimal.
  round(1e2 * sum(hard_bounced) / nullif(sum(sent), 0), 2) AS hard_bounce_percent,
  round(1e2 * count(DISTINCT complaint_id) / nullif(sum(delivered), 0), 3) AS complaint_percent
FROM outcome
GROUP BY day, dimension_value
ORDER BY day DESC, sent DESC, dimension_value
