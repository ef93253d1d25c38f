-- What became of the mail for one address, given that, the newest message first.
-- Events that arrived in the last 30 days: for older ones, change the number. What is Possible happened to this or to
-- another recipient of the same message: an Open or a Click, say, whose reader SES cannot name.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '30' DAY, {days})),
{recipient_events},
event AS (
  SELECT DISTINCT message_id, kind, event_at, sent_at, dimension_value, response
  FROM recipient_events
  WHERE recipient = lower(?)
)
SELECT
  min(sent_at) AS sent_at,
  message_id,
  coalesce(min(dimension_value), 'unknown') AS dimension_value,
  array_join(array_agg(kind ORDER BY event_at, IF(kind = 'Send', 0, 1), kind), ' > ') AS history,
  max_by(response, event_at) FILTER (WHERE response IS NOT NULL) AS last_response,
  max(event_at) AS last_event_at
FROM event
GROUP BY message_id
ORDER BY sent_at DESC, message_id
