-- Indexes that a later one covers, column for column: every session and payment was entered twice.
drop index session_started;
drop index payment_created;
drop index payment_customer;
