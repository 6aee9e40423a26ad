-- Stores a snapshot and trims what is beyond the retention from the history.
--
-- KEYS 1 head  2 snapshot  3 grants  4 archive
-- ARGV 1 incarnation  2 epoch  3 snapshot  4 oldest sequence to keep
--      5 the note of what is archived by which that was decided, '' if there was none
-- Returns 1, or 0 when another epoch or incarnation has begun. An archive that began
-- since may need what was to go: then nothing is trimmed this time.
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'epoch')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then
  return 0
end
redis.call('SET', KEYS[2], ARGV[3])
local note = redis.pcall('GET', KEYS[4])
if type(note) == 'table' then note = '' end -- somebody made it something else
if (note or '') == ARGV[5] then
  redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[4])
end
return 1
