//! The OpenAPI document, made from the tables.

use doors::operation::{About, document};
use serde_json::Value;

use crate::{envelope::failure_schema, examples, v1, v2};

const V1: About = About {
    title: "ISPBills API, version 1",
    version: "1",
    text: "Kept for clients that were written for it. New integrations use version 2.",
};

const V2: About = About {
    title: "Lastmile API, version 2",
    version: "2",
    text: "Exchange a client's id and secret for a token at `/api/v2/auth/token`, then send it as \
           `Authorization: Bearer …`. Times are UTC, amounts are numbers in the provider's currency. Calls marked \
           `x-lastmile` are Lastmile's own; the others are as ISPBills documents them.",
};

pub fn openapi_v1() -> Value {
    document(V1, v1::ROUTES, v1::OPERATIONS, failure_schema(), &examples::samples())
}

pub fn openapi_v2() -> Value {
    document(V2, v2::ROUTES, v2::OPERATIONS, failure_schema(), &examples::samples())
}
