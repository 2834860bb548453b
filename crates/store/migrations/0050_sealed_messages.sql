-- What a message tells in secret (a password, a code) is not in its text: `body` shows dots, and `sealed` holds the whole for
-- whoever sends it.
alter table message add column sealed blob;
-- Those written before, until the program has sealed them; it has the key.
create table message_to_seal (
    isp_id bigint not null,
    id bigint not null,
    primary key (isp_id, id)
);
insert into message_to_seal (isp_id, id)
    select isp_id, id from message
    where kind in ('grantAccess', 'verificationCode', 'closeTicketOtp', 'userRecipt', 'recoverPassword');
