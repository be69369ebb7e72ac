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

  // The bank's name, as soon as its routing number is typed. Review names it in any case; no answer stops nobody.
  document.querySelectorAll("[data-bank-name]").forEach(function (line) {
    var box = document.getElementById(line.dataset.box);
    var asked = "";
    box.addEventListener("input", function () {
      var digits = box.value.replace(/[\s.\-]/g, "");
      if (digits === asked) {
        return;
      }
      asked = digits;
      line.textContent = "";
      if (!/^\d{9}$/.test(digits)) {
        return;
      }
      window.fetch(line.dataset.bankName, {
        method: "POST",
        headers: { "X-CSRFToken": box.form.elements.csrfmiddlewaretoken.value },
        body: new URLSearchParams({ routing_number: digits })
      }).then(function (answer) {
        return answer.ok ? answer.json() : { words: "" };
      }).then(function (answer) {
        if (asked === digits) {
          line.textContent = answer.words;
        }
      }).catch(function () {
        line.textContent = "";
      });
    });
  });

  // The time left to pay is right when the page is drawn; here it is counted down, by how long the page has been open.
  document.querySelectorAll("[data-seconds]").forEach(function (line) {
    var units = line.dataset.units.split("|");
    var until = Date.now() + line.dataset.seconds * 1000;

    function name(count, one) {
      return count ? [units[count === 1 ? one : one + 1].replace("%(count)s", count)] : [];
    }

    function say() {
      var minutes = Math.floor((until - Date.now()) / 60000);
      var days = Math.floor(minutes / 1440);
      var hours = Math.floor((minutes % 1440) / 60);
      var parts = days ? name(days, 0).concat(name(hours, 2)) : name(hours, 2).concat(name(minutes % 60, 4));
      if (until <= Date.now()) {
        line.textContent = line.dataset.over;
        window.clearInterval(ticking);
      } else {
        line.textContent = line.dataset.pattern.replace("%(time)s", parts.join(" ") || units[6]);
      }
    }

    var ticking = window.setInterval(say, 1000);
    window.addEventListener("pageshow", say);
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
