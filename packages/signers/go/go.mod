module darkroom.invalid/signer

go 1.21
