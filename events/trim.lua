-- Trims what is beyond the retention from the history.
--
-- KEYS 1 head  2 grants  3 archive
-- ARGV 1 incarnation  2 epoch  3 oldest sequence to keep
--      4 the note of what is archived by which that was decided, '' if there was none
--      5 about how many records may go at once: Redis serves nobody meanwhile
-- Returns how many went, or -1 when another epoch or incarnation has begun. An archive
-- that began since may need what was to go: then nothing is trimmed this time.
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'epoch')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then
  return -1
end
local note = redis.pcall('GET', KEYS[3])
if type(note) == 'table' then note = '' end -- somebody made it something else
if (note or '') == ARGV[4] then
  return redis.call('XTRIM', KEYS[2], 'MINID', '~', ARGV[3], 'LIMIT', ARGV[5])
end
return 0
