-- Usage that is kept stops at 2^50 (domain/access/usage.rs, MOST_KEPT), so that sums of it stay whole. Counters of routers
-- that were none had led beyond.
update service set used_bytes = 1125899906842624 where used_bytes > 1125899906842624;
update service set used_time_s = 316224000 where used_time_s > 316224000;
update usage_day set up = 1125899906842624 where up > 1125899906842624;
update usage_day set down = 1125899906842624 where down > 1125899906842624;
update usage_day set seconds = 316224000 where seconds > 316224000;
update usage_before set up = 1125899906842624 where up > 1125899906842624;
update usage_before set down = 1125899906842624 where down > 1125899906842624;
update fup_usage set up = 1125899906842624 where up > 1125899906842624;
update fup_usage set down = 1125899906842624 where down > 1125899906842624;
update session set up_total = case when up_total > 1125899906842624 then 1125899906842624 else up_total end,
    down_total = case when down_total > 1125899906842624 then 1125899906842624 else down_total end,
    up_shown = case when up_shown > 1125899906842624 then 1125899906842624 else up_shown end,
    down_shown = case when down_shown > 1125899906842624 then 1125899906842624 else down_shown end,
    started_at = case when started_at < 0 then 0 else started_at end
where up_total > 1125899906842624 or down_total > 1125899906842624 or up_shown > 1125899906842624
    or down_shown > 1125899906842624 or started_at < 0;
