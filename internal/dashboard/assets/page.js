// Puts a new page in place of the old one when the server says that something
// changed, and says so when it is not heard. Without it the page loads itself anew.
'use strict';
(() => {
  const lost = document.getElementById('lost');
  const silence = 40000; // ms; the server is heard every 15 s
  let heard = Date.now(), busy = false, again = false;

  const main = () => document.getElementById('main');

  // Somebody who marks text to copy it is not disturbed.
  const marking = () => {
    const s = getSelection();
    return s && !s.isCollapsed && main().contains(s.anchorNode);
  };

  function complain(why) {
    lost.textContent = 'Stale. ' + why + ' What is shown is of ' + document.getElementById('now').textContent + '.';
    lost.hidden = false;
  }

  function well() {
    heard = Date.now();
    lost.hidden = true;
  }

  async function renew() {
    if (busy || marking()) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    try {
      const answer = await fetch(location.href, {headers: {Accept: 'text/html'}});
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = page.getElementById('main');
      if (!answer.ok || !next) {
        complain('The manager answers ' + answer.status + '.');
        return;
      }
      put(next);
      document.title = page.title;
      well();
    } catch {
      complain('The manager does not answer.');
    } finally {
      busy = false;
      if (again) setTimeout(renew, 1000);
    }
  }

  // put keeps what is unfolded, and where the keyboard is.
  function put(next) {
    for (const d of main().querySelectorAll('details[open]')) {
      const same = next.querySelector('#' + CSS.escape(d.id));
      if (same) same.open = true;
    }
    const at = document.activeElement;
    const href = at && main().contains(at) && at.getAttribute('href');
    main().replaceWith(document.adoptNode(next));
    if (href) {
      const same = [...main().querySelectorAll('a')].find((a) => a.getAttribute('href') === href);
      if (same) same.focus({preventScroll: true});
    }
    buttons();
  }

  function buttons() {
    if (!navigator.clipboard) return;
    for (const code of main().querySelectorAll('.do code')) {
      const b = document.createElement('button');
      b.className = 'copy';
      b.type = 'button';
      b.textContent = 'Copy';
      b.setAttribute('aria-label', 'Copy ' + code.textContent);
      b.addEventListener('click', async () => {
        await navigator.clipboard.writeText(code.textContent);
        b.textContent = 'Copied';
      });
      code.after(b);
    }
  }

  buttons();
  let stream;
  function listen() {
    stream = new EventSource(document.body.dataset.events);
    for (const name of ['changed', 'beat']) stream.addEventListener(name, renew);
    stream.addEventListener('open', () => { heard = Date.now(); });
  }
  listen();
  document.addEventListener('selectionchange', () => { if (again && !marking()) renew(); });
  setInterval(() => {
    if (Date.now() - heard <= silence) return;
    if (!marking()) complain('The manager is not heard.');
    // A browser gives a stream up for good when it was refused, as where too many listen.
    if (stream.readyState === EventSource.CLOSED) listen();
    renew();
  }, 5000);
})();
