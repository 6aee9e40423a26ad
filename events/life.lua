-- What tells one life of the server's data from another. It stands before the
-- scripts that use it.
--
-- Whether this Redis still has every record that was ever acknowledged cannot be
-- seen in the data: a server that was restarted from an old file, or a replica
-- that was promoted before it had everything, looks just like one that lost
-- nothing. So the head of the history names the life that it was written in: the
-- server's process, and the replication id if the process was promoted after it
-- had followed another master, because then it may have lost records as well.
-- Without a second id, which is the one from before the promotion, the first one
-- says nothing: it changes when the first replica comes.
local function presentLife()
  local life, replid = '', ''
  for _, section in ipairs({'server', 'replication'}) do
    local info = redis.pcall('INFO', section)
    if type(info) == 'string' then
      life = life .. (string.match(info, 'run_id:(%x+)') or '')
      replid = string.match(info, 'master_replid:(%x+)') or replid
      if string.find(string.match(info, 'master_replid2:(%x+)') or '0', '[^0]') then
        life = life .. replid
      end
    end
  end
  return life, replid
end

-- replaced reports whether the data has another life than the head names. While
-- the replication id is the head's, it has not; that is quickly asked.
local function replaced(life, replid)
  local info = redis.pcall('INFO', 'replication')
  local present = type(info) == 'string' and string.match(info, 'master_replid:(%x+)')
  return present and present ~= replid and presentLife() ~= life
end

