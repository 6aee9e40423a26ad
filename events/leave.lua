-- Gives up the office of publishing the status.
--
-- KEYS 1 office
-- ARGV 1 projector's id
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
