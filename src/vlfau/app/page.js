// What Gradio leaves undone: keyboards and screen readers, clicks on faces, telephones, and cameras that fail.
() => {
  const panel = () => document.querySelector('[role="tabpanel"]:not([hidden]):not([style*="none"])') ?? document.body;

  const mend = () => {
    // The button of a camera is called "capture photo" or "start recording" also while it stops: its text is right.
    for (const button of document.querySelectorAll('[aria-label="capture photo"], [aria-label="start recording"]')) {
      if (button.innerText.trim()) button.removeAttribute("aria-label");
    }
    // Arrow keys move among radio buttons of one name, and Gradio gives each its own.
    for (const group of document.querySelectorAll("fieldset")) {
      const radios = [...group.querySelectorAll('input[type="radio"]')];
      for (const radio of radios) if (radio.name !== radios[0].name) radio.name = radios[0].name;
    }
  };
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });

  // A click on a face chooses it, as the radio button of the same number does.
  const radiosOf = (element) => [...element.closest('[role="tabpanel"]').querySelectorAll('.which-face input[type="radio"]')];
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.(".scene [data-face]");
    if (box) radiosOf(box)[Number(box.dataset.face) - 1]?.click();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.closest?.(".which-face")) return;
    const chosen = radiosOf(event.target).indexOf(event.target) + 1;
    for (const box of event.target.closest('[role="tabpanel"]').querySelectorAll(".scene [data-face]")) {
      box.setAttribute("aria-pressed", String(Number(box.dataset.face) === chosen));
    }
  });

  // A file that is no picture, or one that this browser cannot show, leaves no broken image behind.
  document.addEventListener("error", (event) => {
    if (event.target.tagName === "IMG") event.target.style.visibility = "hidden";
  }, true);
  document.addEventListener("load", (event) => {
    if (event.target.tagName === "IMG") event.target.style.visibility = "";
  }, true);

  // The links in the head open what they lead to.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#about-"]');
    if (link) document.querySelector(link.getAttribute("href")).open = true;
  });

  // On a telephone the answer is below the screen.
  window.vlfauReveal = () => {
    const places = panel().querySelectorAll(".status.error, .face, .video-result");
    const answer = [...places].find((place) => place.offsetParent);
    if (answer && window.innerWidth < 700) answer.scrollIntoView({ block: "start", behavior: "smooth" });
  };

  // Gradio says nothing when a camera fails.
  const tell = (text) => {
    const place = panel();
    let message = place.querySelector(":scope > .camera-problem");
    if (!message) {
      message = document.createElement("p");
      message.className = "camera-problem status error";
      message.setAttribute("role", "alert");
      place.prepend(message);
    }
    message.textContent = text;
    message.hidden = !text;
  };
  const reasons = {
    NotAllowedError: "The camera was refused. Allow it for this page, beside the address, then try again.",
    NotFoundError: "No camera was found. Connect one, then try again.",
    OverconstrainedError: "No camera was found that fits. Connect another one, then try again.",
    NotReadableError: "The camera cannot be used; another program may be using it. Close that, then try again.",
  };
  const media = navigator.mediaDevices;
  if (window.isSecureContext && media?.getUserMedia) {
    const ask = media.getUserMedia.bind(media);
    media.getUserMedia = async (wanted) => {
      try {
        const stream = await ask(wanted);
        tell("");
        return stream;
      } catch (error) {
        tell(reasons[error.name] ?? `The camera cannot be used (${error.name}). Try again, or upload a file.`);
        throw error;
      }
    };
  } else {
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.('[aria-label="Capture from camera"], .access-wrap, [title="grant webcam access"]');
      if (button || /Access Webcam/i.test(event.target.innerText ?? "")) {
        tell("Browsers allow the camera only on pages with https, or on this computer (localhost). Upload a file instead.");
      }
    }, true);
  }
}
