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
