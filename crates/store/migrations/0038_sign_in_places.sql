-- From where a token was asked for (an IPv4 address, the first address of an IPv6 /64): an account's owner is let in from
-- where it has been, while somebody guesses from elsewhere. Empty for tokens of before, and for those made by a command.
alter table token add column source text;
create index token_source on token (isp_id, source) where source is not null;
