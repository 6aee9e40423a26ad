-- Extends a leader's lease.
--
-- KEYS 1 leader  2 head  3 intents
-- ARGV 1 arbiter's id  2 lease in ms  3 incarnation  4 epoch
-- Returns {1, id of the oldest entry in the inbox or ''} or, when another epoch
-- or incarnation has begun, {0}.
local head = redis.call('HMGET', KEYS[2], 'incarnation', 'epoch')
if head[1] ~= ARGV[3] or head[2] ~= ARGV[4] then
  return {0}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local oldest = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)
return {1, oldest[1] and oldest[1][1] or ''}
