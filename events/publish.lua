-- Publishes a status, if nobody else is in office to do so.
--
-- KEYS 1 office  2 status, also the channel's name
-- ARGV 1 projector's id  2 how long it stays in office, ms
--      3 the status; empty: only take the office or stay in it
--      4 what the channel is told
-- Returns 1, or 0 when another projector is in office.
local holder = redis.pcall('GET', KEYS[1])
if type(holder) == 'table' then holder = false end -- somebody made it something else
if holder and holder ~= ARGV[1] and redis.call('PTTL', KEYS[1]) >= 0 then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[3] ~= '' then
  redis.call('SET', KEYS[2], ARGV[3])
  redis.call('PUBLISH', KEYS[2], ARGV[4])
end
return 1
