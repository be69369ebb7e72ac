// Only helps: every page works without it.
(function () {
  "use strict";

  // Where a page says that attention belongs (an error summary, a confirmation), the focus goes there.
  var spot = document.querySelector("[data-focus]");
  window.addEventListener("load", function () {
    if (spot && document.activeElement === document.body) {
      spot.focus();
    }
  });

  // Links of the error summary lead into the box itself, with its label in view.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-problem]");
    var box = link && document.getElementById(link.hash.slice(1));
    if (!box) {
      return;
    }
    event.preventDefault();
    (box.closest(".usa-form-group") || box).scrollIntoView({ block: "start" });
    box.focus({ preventScroll: true });
  });

  // Printing needs script, so its button shows only where there is script.
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      window.print();
    });
  });

  // A second press while the first is under way does nothing. The server guards against it all the same.
  document.querySelectorAll("form[data-once]").forEach(function (form) {
    var sent = false;
    form.addEventListener("submit", function (event) {
      if (sent) {
        event.preventDefault();
      }
      sent = true;
    });
    window.addEventListener("pageshow", function () {
      sent = false;
    });
  });
})();
