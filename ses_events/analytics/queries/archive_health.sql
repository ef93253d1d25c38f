-- Is the archive whole: what arrived each day, twice, late or unreadable, and which mail has no outcome?
-- Events that arrived in the last 7 days. Unreadable is what is no SES event. A mail that is two days old is
-- without_outcome when it has neither Delivery, Bounce, Complaint, Reject nor Rendering Failure: are these published?
-- A copy counts on the day of the first, on whichever it arrived.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '7' DAY, {days})),
event AS (
  SELECT
    min({day}) AS dt,
    e.eventtype,
    e.mail.messageid AS message_id,
    e.mail.timestamp AS sent_at,
    coalesce(
      {timestamps}) AS event_at,
    -- What two events of one kind, message and time may differ in.
    coalesce(e.bounce.feedbackid, e.complaint.feedbackid, e.open.ipaddress, e.click.link, '') AS detail,
    coalesce(e.delivery.recipients, transform(e.deliverydelay.delayedrecipients, d -> d.emailaddress)) AS recipients,
    count(*) AS copies
  FROM recent AS e
  -- What is unreadable counts on its own day, and has nothing to be a copy by.
  GROUP BY 2, 3, 4, 5, 6, 7, IF(e.eventtype IS NULL OR e.mail.messageid IS NULL, {day})
),
outcome AS (
  SELECT
    event.*,
    eventtype IS NULL OR message_id IS NULL AS unreadable,
    max(IF(eventtype IN ('Delivery', 'Bounce', 'Complaint', 'Reject', 'Rendering Failure'), 1, 0))
      OVER (PARTITION BY message_id) AS has_outcome
  FROM event
)
SELECT
  dt,
  eventtype,
  sum(IF(unreadable, copies, 1)) AS events,
  sum(IF(unreadable, 0, copies - 1)) AS duplicates,
  sum(IF(unreadable, copies, 0)) AS unreadable,
  sum(IF(dt > substr(event_at, 1, 10), 1, 0)) AS arrived_on_a_later_day,
  sum(IF(eventtype = 'Send' AND has_outcome = 0
    AND from_iso8601_timestamp(sent_at) < current_date - INTERVAL '2' DAY, 1, 0)) AS without_outcome
FROM outcome
GROUP BY dt, eventtype
ORDER BY dt DESC, eventtype
