//! Complaints and the departments that they go to.

pub(crate) mod complaints;
pub(crate) mod departments;

doors::operations! {
    GET    "/api/v2/departments"      => departments::list,   departments::LIST.home();
    POST   "/api/v2/departments"      => departments::create, departments::CREATE.home();
    GET    "/api/v2/departments/{id}" => departments::show,   departments::SHOW.home();
    PUT    "/api/v2/departments/{id}" => departments::update, departments::UPDATE.home();
    DELETE "/api/v2/departments/{id}" => departments::delete, departments::DELETE.home();

    GET  "/api/v2/complaints"               => complaints::list,     complaints::LIST.home();
    POST "/api/v2/complaints"               => complaints::create,   complaints::CREATE.home();
    GET  "/api/v2/complaints/{id}"          => complaints::show,     complaints::SHOW.home();
    PUT  "/api/v2/complaints/{id}"          => complaints::update,   complaints::UPDATE.home();
    POST "/api/v2/complaints/{id}/close"    => complaints::close,    complaints::CLOSE.home();
    GET  "/api/v2/complaints/{id}/comments" => complaints::comments, complaints::COMMENTS.home();
    POST "/api/v2/complaints/{id}/comments" => complaints::comment,  complaints::COMMENT.home();
}
