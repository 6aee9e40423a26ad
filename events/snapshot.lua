-- Stores a snapshot.
--
-- KEYS 1 head  2 snapshot
-- ARGV 1 incarnation  2 epoch  3 snapshot
-- Returns 1, or 0 when another epoch or incarnation has begun.
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'epoch')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then
  return 0
end
redis.call('SET', KEYS[2], ARGV[3])
return 1
