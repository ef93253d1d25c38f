-- How much of the mail do people open and click, with and without what are likely bots?
-- Mail sent in the last 14 days (UTC), by message, since an Open or Click says which message and not which recipient.
-- A person is whoever SES does not call a likely bot: older events do not say, and their senders count as people.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '14' DAY, {days})),
{recipient_events},
outcome AS (
  SELECT
    message_id,
    coalesce(min(dimension_value), 'unknown') AS dimension_value,
    max(IF(event_type = 'Delivery', 1, 0)) AS delivered,
    max(IF(event_type = 'Open', 1, 0)) AS opened,
    max(IF(event_type = 'Open' AND NOT likely_bot, 1, 0)) AS opened_by_person,
    max(IF(event_type = 'Click', 1, 0)) AS clicked,
    max(IF(event_type = 'Click' AND NOT likely_bot, 1, 0)) AS clicked_by_person,
    max(IF(event_type = 'Subscription', 1, 0)) AS changed_subscription
  FROM recipient_events
  WHERE sent_at >= current_date - INTERVAL '14' DAY
    AND event_type IN ('Delivery', 'Open', 'Click', 'Subscription')
  GROUP BY message_id
)
SELECT
  dimension_value,
  sum(delivered) AS delivered,
  sum(opened) AS opened,
  sum(opened_by_person) AS opened_by_people,
  sum(clicked) AS clicked,
  sum(clicked_by_person) AS clicked_by_people,
  sum(changed_subscription) AS subscriptions_changed,
  -- 1e2 and not 100.0: Athena would divide that to one decimal.
  round(1e2 * sum(opened_by_person) / nullif(sum(delivered), 0), 2) AS people_open_percent,
  round(1e2 * sum(clicked_by_person) / nullif(sum(delivered), 0), 2) AS people_click_percent
FROM outcome
GROUP BY dimension_value
ORDER BY delivered DESC, dimension_value
