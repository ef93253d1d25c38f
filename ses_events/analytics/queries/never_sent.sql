-- Which mail never left SES, because a template failed or a virus was found?
-- Events that arrived in the last 7 days: Rendering Failure and Reject, by message.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '7' DAY, {days}))
SELECT
  e.eventtype,
  coalesce(element_at(element_at(e.mail.tags, {dimension}), 1), 'unknown') AS dimension_value,
  e.failure.templatename AS template,
  coalesce(e.failure.errormessage, e.reject.reason) AS reason,
  count(DISTINCT e.mail.messageid) AS messages,
  max(from_iso8601_timestamp(e.mail.timestamp)) AS last_seen,
  max_by(e.mail.messageid, e.mail.timestamp) AS last_message_id
FROM recent AS e
WHERE e.eventtype IN ('Rendering Failure', 'Reject')
GROUP BY 1, 2, 3, 4
ORDER BY messages DESC, last_seen DESC
