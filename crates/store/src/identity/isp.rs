//! Tenants and their branches.

use domain::{BranchId, Instant, IspId};

use crate::{
    db::{Error, Tx},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    /// A tenant. One currency and one time zone each.
    Isp of "isp" {
        isp_id: IspId,
        name: String,
        currency: String,
        time_zone: String,
        locale: String,
        /// Two letters before the phone number in usernames we make.
        username_prefix: String,
        tax_ppm: i64,
        tax_inclusive: bool,
        created_at: Instant,
    }
}

record! {
    Branch of "branch" {
        isp_id: IspId,
        id: BranchId,
        parent_id: Option<BranchId>,
        name: String,
        created_at: Instant,
        /// `None`: not since it was made.
        updated_at: Option<Instant>,
    }
}

pub async fn all(tx: &Tx) -> Result<Vec<Isp>, Error> {
    records(tx.rows(sql!(text!(Isp::SELECT, "order by t.isp_id")), &params![]).await?, Isp::from_row)
}

pub async fn find(tx: &Tx, isp: IspId) -> Result<Option<Isp>, Error> {
    let row = tx.row(sql!(text!(Isp::SELECT, "where t.isp_id = $1")), &params![isp]).await?;
    row.map(|row| Isp::from_row(&row)).transpose()
}

pub async fn branch(tx: &Tx, isp: IspId, id: BranchId) -> Result<Option<Branch>, Error> {
    let row = tx.row(sql!(text!(Branch::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Branch::from_row(&row)).transpose()
}
