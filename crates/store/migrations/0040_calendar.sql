-- Days and moments are kept up to the end of the year 2100. What was named beyond it was meant as "never": it ends there.
update service set expires_at = 4133980799000000 where expires_at > 4133980799000000;
update service set period_started_at = 4133980799000000 where period_started_at > 4133980799000000;
update roster set expires_at = 4133980799000000 where expires_at > 4133980799000000;
update period set ends_at = 4133980799000000 where ends_at > 4133980799000000;
update period set starts_at = 4133980799000000 where starts_at > 4133980799000000;
update grace set until_at = 4133980799000000 where until_at > 4133980799000000;
update grace set from_at = 4133980799000000 where from_at > 4133980799000000;
update service_start set start_at = 4133980799000000 where start_at > 4133980799000000;
update plan_move set run_at = 4133980799000000 where run_at > 4133980799000000;
update renewal_order set run_at = 4133980799000000 where run_at > 4133980799000000;
update invoice set due_at = 4133980799000000 where due_at > 4133980799000000;
update card_batch set expires_at = 4133980799000000 where expires_at > 4133980799000000;
update recharge_card set expires_at = 4133980799000000 where expires_at > 4133980799000000;
