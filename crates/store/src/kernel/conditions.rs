//! A list's conditions as text with its parameters: fixed fragments, and values that come from outside only as `$n`.

use domain::IspId;

use crate::db::{Error, Row, Sql, Tx, Value};

pub(crate) struct Conditions {
    pub text: String,
    pub params: Vec<Value>,
}

impl Conditions {
    pub fn of(isp: IspId) -> Conditions {
        Conditions { text: "t.isp_id = $1".into(), params: vec![isp.into()] }
    }

    /// A parameter; `$n`.
    pub fn value(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    pub fn and(&mut self, condition: &str) {
        self.text += " and ";
        self.text += condition;
    }

    /// `condition` with the value behind it, where there is one.
    pub fn given(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let place = self.value(value);
            self.and(&format!("{condition} {place}"));
        }
    }

    /// One of these columns contains the text, whatever its case.
    pub fn contains(&mut self, columns: &[&str], text: Option<&str>) {
        let Some(text) = text else { return };
        let mut pattern = String::from("%");
        for letter in text.trim().to_lowercase().chars() {
            if matches!(letter, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push('%');
        let place = self.value(pattern);
        let any: Vec<String> = columns.iter().map(|column| format!("{column} like {place} escape '\\'")).collect();
        self.and(&format!("({})", any.join(" or ")));
    }

    /// A page of `select`, and how many rows `from` has in all: no more than `most` are counted where it is given.
    pub async fn page<T>(
        &self,
        tx: &Tx,
        (select, from): (&str, &str),
        order: &str,
        (offset, limit): (i64, i64),
        most: Option<i64>,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<(Vec<T>, i64), Error> {
        let Conditions { text, params } = self;
        let count = match most {
            None => format!("select count(*) from {from} where {text}"),
            Some(most) => format!("select count(*) from (select 1 from {from} where {text} limit {most}) counted"),
        };
        let total: i64 = tx.row(count, params).await?.map_or(Ok(0), |row| row.get(0))?;
        if offset >= total {
            return Ok((Vec::new(), total));
        }
        let mut params = params.clone();
        params.extend([Value::from(limit), Value::from(offset)]);
        let (n, m) = (params.len() - 1, params.len());
        let rows: Sql = format!("{select} from {from} where {text} order by {order} limit ${n} offset ${m}").into();
        let rows = tx.rows(rows, &params).await?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }
}

/// `$2, $3, …` and the parameters for them behind the Isp's, filled up to a power of two so that few texts exist.
pub(crate) fn among(isp: IspId, ids: impl ExactSizeIterator<Item = i64>) -> (String, Vec<Value>) {
    let count = ids.len().next_power_of_two();
    let mut params = vec![Value::from(isp)];
    params.extend(ids.map(Value::from));
    while params.len() <= count {
        params.push(params[params.len() - 1].clone());
    }
    let list = (2..=params.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    (list, params)
}
