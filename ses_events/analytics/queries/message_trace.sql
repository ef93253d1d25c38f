-- Everything that happened to one message, given its id, one event after another.
-- Events that arrived in the last 30 days: for an older message, change the number. What is Possible happened to one of
-- several recipients, and SES does not say to which.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '30' DAY, {days})),
{recipient_events}
SELECT DISTINCT
  event_at,
  kind,
  recipient,
  subtype,
  smtp_status,
  response,
  processing_time_millis,
  link,
  likely_bot,
  coalesce(dimension_value, 'unknown') AS dimension_value,
  configuration_set
FROM recipient_events
WHERE message_id = ?
ORDER BY event_at, kind, recipient
