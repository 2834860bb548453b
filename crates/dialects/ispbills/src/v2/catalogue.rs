//! What is sold: packages, their plans and bandwidths, fair use.

pub(crate) mod bandwidths;
pub(crate) mod fup;
pub(crate) mod packages;
pub(crate) mod plans;

doors::operations! {
    GET "/api/v2/packages" => packages::list, packages::LIST;

    GET    "/api/v2/plans"                => plans::list,      plans::LIST.home();
    POST   "/api/v2/plans"                => plans::create,    plans::CREATE.home();
    GET    "/api/v2/plans/{id}"           => plans::show,      plans::SHOW.home();
    PUT    "/api/v2/plans/{id}"           => plans::update,    plans::UPDATE.home();
    DELETE "/api/v2/plans/{id}"           => plans::delete,    plans::DELETE.home();
    POST   "/api/v2/plans/{id}/duplicate" => plans::duplicate, plans::DUPLICATE.home();

    GET    "/api/v2/bandwidths"      => bandwidths::list,   bandwidths::LIST.home();
    POST   "/api/v2/bandwidths"      => bandwidths::create, bandwidths::CREATE.home();
    GET    "/api/v2/bandwidths/{id}" => bandwidths::show,   bandwidths::SHOW.home();
    PUT    "/api/v2/bandwidths/{id}" => bandwidths::update, bandwidths::UPDATE.home();
    DELETE "/api/v2/bandwidths/{id}" => bandwidths::delete, bandwidths::DELETE.home();

    GET    "/api/v2/fup-templates"              => fup::list,     fup::LIST.home();
    POST   "/api/v2/fup-templates"              => fup::create,   fup::CREATE.home();
    GET    "/api/v2/fup-templates/{id}"         => fup::show,     fup::SHOW.home();
    PUT    "/api/v2/fup-templates/{id}"         => fup::update,   fup::UPDATE.home();
    DELETE "/api/v2/fup-templates/{id}"         => fup::delete,   fup::DELETE.home();
    PUT    "/api/v2/packages/{id}/fup"          => fup::attach,   fup::ATTACH.home();
    GET    "/api/v2/customers/{id}/fup"         => fup::standing, fup::STANDING.home();
    PUT    "/api/v2/customers/{id}/fup"         => fup::choose,   fup::CHOOSE.home();
    DELETE "/api/v2/customers/{id}/fup"         => fup::clear,    fup::CLEAR.home();
    GET    "/api/v2/customers/{id}/fup/preview" => fup::preview,  fup::PREVIEW.home();
}
