-- Which links do people click?
-- Clicks that arrived in the last 14 days and are of no likely bot; links without what follows ? or #.
WITH recent AS (SELECT * FROM {events} WHERE dt >= date_format(current_date - INTERVAL '14' DAY, {days})),
click AS (
  SELECT DISTINCT
    regexp_replace(e.click.link, '[?#].*$', '') AS link,
    coalesce(element_at(element_at(e.mail.tags, {dimension}), 1), 'unknown') AS dimension_value,
    e.mail.messageid AS message_id,
    e.click.timestamp AS clicked_at,
    e.click.ipaddress AS ip_address
  FROM recent AS e
  WHERE e.eventtype = 'Click'
    AND coalesce(e.click.isbotevent, '') <> 'Likely'
)
SELECT
  link,
  dimension_value,
  count(*) AS clicks,
  count(DISTINCT message_id) AS messages
FROM click
GROUP BY link, dimension_value
ORDER BY clicks DESC, link, dimension_value
LIMIT 100
