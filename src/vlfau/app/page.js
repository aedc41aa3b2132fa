// What Gradio leaves undone for keyboards and screen readers.
() => {
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
}
