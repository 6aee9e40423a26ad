-- Stores a snapshot and trims what is beyond the retention from the history.
--
-- KEYS 1 head  2 snapshot  3 grants
-- ARGV 1 incarnation  2 epoch  3 snapshot  4 oldest sequence to keep
-- Returns 1, or 0 when another epoch or incarnation has begun.
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'epoch')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then
  return 0
end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[4])
return 1
