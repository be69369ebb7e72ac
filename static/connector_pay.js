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

  // Two minutes before a session ends its person is asked whether to stay. A page opened in another tab counts as well.
  var dialog = document.querySelector("[data-session]");
  if (dialog && dialog.showModal) {
    watchSession(dialog);
  }

  function watchSession(dialog) {
    // A few seconds are spared, so that the end is ours and what is typed still arrives.
    var length = dialog.dataset.session * 60000 - 10000;
    var warning = 120000;
    var extend = dialog.querySelector("[data-session-extend]");
    var lines = dialog.querySelectorAll("[data-left]");
    var tabs = "BroadcastChannel" in window ? new BroadcastChannel("session") : null;
    var endsAt;
    var isOver = false;

    function begin() {
      endsAt = Date.now() + length;
      if (dialog.open) {
        dialog.close();
      }
    }

    function send(form, extra) {
      var body = new FormData(form);
      if (extra) {
        body.append(extra, "1");
      }
      return fetch(form.getAttribute("action") || location.href, { method: "POST", body: body, redirect: "manual" });
    }

    function stay() {
      var before = endsAt;
      begin();
      send(extend).then(
        function (answer) {
          if (!answer.ok) {
            leave();
          } else if (tabs) {
            tabs.postMessage("opened");
          }
        },
        function () {
          endsAt = before;
        }
      );
    }

    function leave() {
      isOver = true;
      dialog.querySelector("[data-session-end]").submit();
    }

    function ask() {
      var typed = document.querySelector("form[data-keep]");
      dialog.showModal();
      if (typed) {
        send(typed, "keep_half_typed").catch(function () {});
      }
    }

    function tick() {
      var left = endsAt - Date.now();
      if (isOver || left > warning) {
        return;
      }
      if (left <= 0) {
        leave();
        return;
      }
      lines.forEach(function (line, index) {
        var next = lines[index + 1];
        line.hidden = left > line.dataset.left * 1000 || (next && left <= next.dataset.left * 1000);
      });
      if (!dialog.open) {
        ask();
      }
    }

    extend.addEventListener("submit", function (event) {
      event.preventDefault();
      stay();
    });
    dialog.addEventListener("cancel", function (event) {
      event.preventDefault();
      stay();
    });
    if (tabs) {
      tabs.addEventListener("message", begin);
      tabs.postMessage("opened");
    }
    begin();
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
  }

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
